// What the orchestrator of a graph does about tracing, without the orchestrator, whose module cannot be had: a tracer made of the
// environment by the same version of the same client, a span for each request, and calls of the models that carry its context. The
// operations have the names that the orchestrator gives them.
//
//	orchestrator --requests 3 http://127.0.0.1:9000/predict http://127.0.0.1:9001/predict
//	orchestrator --grpc 127.0.0.1:9500 127.0.0.1:9501
//
// It prints the ids of the traces that are sampled. Like the orchestrator it ends at once where the environment cannot be used.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/config"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

const message = `{"data":{"ndarray":[[1,2]]}}`

// The same as a SeldonMessage of Seldon's prediction.proto: data (3) with a tensor (2) of shape (1) [1, 2] and values (2) [1.0, 2.0].
const protoMessage = "\x1a\x18\x12\x16\x0a\x02\x01\x02\x12\x10\x00\x00\x00\x00\x00\x00\xf0\x3f\x00\x00\x00\x00\x00\x00\x00\x40"

// How long a call by gRPC waits for a model that is still starting.
const patience = time.Minute

func main() {
	log.SetFlags(0)
	requests := flag.Int("requests", 1, "how many requests to play")
	byGRPC := flag.Bool("grpc", false, "call the models by gRPC")
	flag.Parse()
	settings, err := config.FromEnv()
	if err != nil {
		log.Fatal(err)
	}
	if settings.ServiceName == "" {
		settings.ServiceName = "executor"
	}
	tracer, closer, err := settings.NewTracer()
	if err != nil {
		log.Fatal(err)
	}
	for range *requests {
		play, operation := callByREST, "predictions"
		if *byGRPC {
			play, operation = callByGRPC, "/seldon.protos.Seldon/Predict"
		}
		context, err := request(tracer, operation, play, flag.Args())
		if err != nil {
			log.Fatal(err)
		}
		if trace, ok := context.(jaeger.SpanContext); ok && trace.IsSampled() {
			fmt.Println(trace.TraceID())
		}
	}
	// Sends what has not been sent.
	if err := closer.Close(); err != nil {
		log.Fatal(err)
	}
}

type call func(opentracing.Tracer, opentracing.Span, string) error

// One request: a span, and under it a call of each model, one after the other.
func request(tracer opentracing.Tracer, operation string, call call, models []string) (opentracing.SpanContext, error) {
	span := tracer.StartSpan(operation, ext.SpanKindRPCServer)
	defer span.Finish()
	for _, model := range models {
		if err := call(tracer, span, model); err != nil {
			return nil, err
		}
	}
	return span.Context(), nil
}

func callByREST(tracer opentracing.Tracer, parent opentracing.Span, model string) error {
	url, err := url.Parse(model)
	if err != nil {
		return err
	}
	span := tracer.StartSpan(url.Path, ext.SpanKindRPCClient, opentracing.ChildOf(parent.Context()))
	defer span.Finish()
	request, err := http.NewRequest(http.MethodPost, model, strings.NewReader(message))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	headers := opentracing.HTTPHeadersCarrier(request.Header)
	if err := tracer.Inject(span.Context(), opentracing.HTTPHeaders, headers); err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %s: %s", model, answer.Status, body)
	}
	return err
}

func callByGRPC(tracer opentracing.Tracer, parent opentracing.Span, model string) error {
	const method = "/seldon.protos.Model/Predict"
	connection, err := grpc.NewClient(model, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	span := tracer.StartSpan(method, ext.SpanKindRPCClient, opentracing.ChildOf(parent.Context()))
	defer span.Finish()
	headers := opentracing.TextMapCarrier{}
	if err := tracer.Inject(span.Context(), opentracing.HTTPHeaders, headers); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(metadata.NewOutgoingContext(context.Background(), metadata.New(headers)), patience)
	defer cancel()
	question, answer := []byte(protoMessage), []byte(nil)
	return connection.Invoke(ctx, method, &question, &answer, grpc.WaitForReady(true), grpc.ForceCodec(asItIs{}))
}

// A codec for messages that are bytes already.
type asItIs struct{}

func (asItIs) Name() string { return "proto" }

func (asItIs) Marshal(message any) ([]byte, error) {
	bytes, ok := message.(*[]byte)
	if !ok {
		return nil, errors.New("a message is bytes")
	}
	return *bytes, nil
}

func (asItIs) Unmarshal(bytes []byte, message any) error {
	into, ok := message.(*[]byte)
	if !ok {
		return errors.New("a message is bytes")
	}
	*into = append([]byte(nil), bytes...)
	return nil
}
