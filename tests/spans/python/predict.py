"""Predictions by gRPC, as Seldon's documentation shows them: predict.py HOST:PORT COUNT [CONTEXT OF A TRACE]"""

import sys

import grpc
from seldon_core.proto import prediction_pb2, prediction_pb2_grpc

target, count, *context = sys.argv[1:]
with grpc.insecure_channel(target) as channel:
    tensor = prediction_pb2.Tensor(shape=[1, 2], values=[1, 2])
    message = prediction_pb2.SeldonMessage(data=prediction_pb2.DefaultData(tensor=tensor))
    metadata = [("uber-trace-id", context[0])] if context else []
    predict = prediction_pb2_grpc.SeldonStub(channel).Predict
    for _ in range(int(count)):
        answer = predict(message, metadata=metadata, wait_for_ready=True, timeout=60)
        assert list(answer.data.tensor.values) == [1, 2], answer
