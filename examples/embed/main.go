// Command embed is a service that explains its own incidents. It answers HTTP requests, records its own
// traces with package otelsdk, and when it notices that it has become worse it prints what broke and why.
//
// It needs nothing else: it makes its own load on the loopback interface, and after a few seconds its own
// fault. A feature goes live with which a checkout keeps its database connection while it calls the card
// vendor, so that the pool runs out of connections. The load is a hundred requests a second; the program
// ends when the incident is explained, after about ten seconds.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/tracewhy/tracewhy/ingest/otelsdk"
	"github.com/tracewhy/tracewhy/rca"
	"github.com/tracewhy/tracewhy/rca/report"
)

func main() {
	healthy := flag.Duration("healthy", 6*time.Second, "how long all is well")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *healthy+15*time.Second)
	defer cancel()
	if err := run(ctx, os.Stdout, *healthy); err != nil {
		log.Fatal(err)
	}
}

// run runs the service and its load until an incident is explained. It gives an error if none was until
// ctx ended.
func run(ctx context.Context, w io.Writer, healthy time.Duration) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	// The recorder calls back with two cohorts of the service's own traces. The times are those of a
	// demonstration: a real service would leave them to the defaults.
	explained := make(chan error, 1)
	recorder := otelsdk.New(otelsdk.Config{
		Window: 20 * time.Second, Bin: 250 * time.Millisecond, Quiet: 100 * time.Millisecond,
		Alert: otelsdk.AlertConfig{
			Recent: 2 * time.Second, MinSlow: 0.5,
			Call: func(ctx context.Context, a otelsdk.Alert) {
				select {
				case explained <- explain(ctx, w, a):
				default: // one is enough for this program
				}
			},
		},
	})
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithSpanProcessor(recorder),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "shop"))),
	)
	defer func() { err = errors.Join(err, provider.Shutdown(context.WithoutCancel(ctx))) }()

	shop, err := newShop(provider.Tracer("shop"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shop.close()) }()
	fmt.Fprintf(w, "a shop serves on %s\n", shop.url)
	loadDone := make(chan struct{})
	go func() {
		defer close(loadDone)
		load(ctx, shop.url)
	}()
	defer func() {
		cancel()
		<-loadDone
	}()

	breaks := time.NewTimer(healthy)
	defer breaks.Stop()
	for {
		select {
		case <-breaks.C:
			fmt.Fprintln(w, "a feature goes live: pay while the order is open")
			shop.payInTransaction.Store(true)
		case err := <-explained:
			st := recorder.Stats()
			fmt.Fprintf(w, "\nThe recorder saw %d spans of %d traces, dropped %d, and holds %d traces in %d kB.\n",
				st.Spans, st.Traces, st.Spans-st.Recorded-uint64(st.Open)-uint64(st.Queued), st.Kept, st.Bytes>>10)
			return err
		case <-ctx.Done():
			return fmt.Errorf("no incident was noticed: %w", ctx.Err())
		}
	}
}

// explain says what an alert is about, and what the cause is.
func explain(ctx context.Context, w io.Writer, a otelsdk.Alert) error {
	for _, s := range a.Signals {
		fmt.Fprintln(w, "ALERT", s)
	}
	r, err := rca.Investigate(ctx, a.Baseline, a.Incident, rca.Config{})
	if err != nil {
		return err
	}
	fmt.Fprintln(w)
	return report.Text(w, r, report.Config{Baseline: a.Baseline, Incident: a.Incident})
}
