// What the orchestrator of a graph does about tracing, without the orchestrator, whose module cannot be had: a tracer made of the
// environment by the same version of the same client, a span for each request, and calls of the models that carry its context.
//
//	orchestrator --requests 3 http://127.0.0.1:9000/predict http://127.0.0.1:9001/predict
//
// It prints the ids of the traces that are sampled. Like the orchestrator it ends at once where the environment cannot be used.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/config"
)

const message = `{"data":{"ndarray":[[1,2]]}}`

func main() {
	log.SetFlags(0)
	requests := flag.Int("requests", 1, "how many requests to play")
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
		context, err := request(tracer, flag.Args())
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

// One request: a span, and under it a call of each model, one after the other.
func request(tracer opentracing.Tracer, models []string) (opentracing.SpanContext, error) {
	span := tracer.StartSpan("predictions", ext.SpanKindRPCServer)
	defer span.Finish()
	for _, model := range models {
		if err := call(tracer, span, model); err != nil {
			return nil, err
		}
	}
	return span.Context(), nil
}

func call(tracer opentracing.Tracer, parent opentracing.Span, model string) error {
	span := tracer.StartSpan("call", ext.SpanKindRPCClient, opentracing.ChildOf(parent.Context()))
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
