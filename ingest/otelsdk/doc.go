// Package otelsdk records the traces of a service inside the service: a processor for the OpenTelemetry
// SDK for Go that keeps the last minutes of traces in bounded memory, ready to be analysed, and that can
// say by itself when the service has become worse.
//
//	recorder := otelsdk.New(otelsdk.Config{})
//	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder), …)
//	defer provider.Shutdown(ctx)
//	…
//	set, err := recorder.Set(ctx) // at any time
//
// It owns the assembly of spans to traces, the window, and the alerts. It does not own which traces are
// kept (package sample), nor what is found in them: the callback of an alert gets the two cohorts that
// rca.Investigate takes. A Recorder stands beside whatever exports spans to a backend, and sees spans
// that are recorded whether or not they are sampled for it.
//
// # How it works
//
// Ended spans go to a bounded queue. A goroutine of the recorder puts them together by trace, and a trace
// is complete when its local root, a span without a parent in this process, has ended and nothing more
// has come for Config.Quiet. Complete traces go to the sample of their time bin; the window is the samples
// of the last bins. Each keeps its exact totals and a few traces of every kind, failing and slow ones
// among them in full as long as they are rare, with the weights that make them stand for all.
//
// What is not kept is counted, with the reason, in [Stats]. Memory is bounded by Config.MaxBytes, by
// Config.MaxQueue spans that wait, by what the SDK holds of spans that have not ended, and about 2 MB for
// the ids of traces that were complete lately and the counts that alerts are made of.
//
// # What it costs
//
// A service pays for a lock and an append when a span ends, whatever its size: some 40 ns, while the SDK
// takes two or three microseconds to make the span. There is no waiting: where the queue is full the span
// is dropped. Conversion, assembly and sampling are on the recorder's goroutine, and take one to three times
// what the SDK takes, garbage collection included, about as much as its in-memory exporter. A span that is
// kept takes 100 to 200 bytes. BenchmarkOnEnd, BenchmarkSpan and BenchmarkHeld measure it beside the
// exporters of the SDK.
package otelsdk
