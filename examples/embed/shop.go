package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// A shop is a service with a database and a card vendor, and a fault that can be switched on.
type shop struct {
	url     string
	tracer  trace.Tracer
	server  *http.Server
	vendor  *http.Server
	charges string // the vendor's URL
	client  http.Client
	pool    chan struct{} // a token for each connection of the database that is free

	payInTransaction atomic.Bool // the fault
}

const (
	connections = 3
	poolTimeout = 400 * time.Millisecond
	queryTakes  = 5 * time.Millisecond
	vendorTakes = 60 * time.Millisecond
)

func newShop(tracer trace.Tracer) (*shop, error) {
	s := &shop{tracer: tracer, pool: make(chan struct{}, connections)}
	for range connections {
		s.pool <- struct{}{}
	}
	s.client.Transport = &http.Transport{MaxIdleConnsPerHost: 100}
	var err error
	s.vendor, s.charges, err = serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(vendorTakes)
		fmt.Fprintln(w, "charged")
	}))
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /stock", s.traced("GET /stock", s.stock))
	mux.HandleFunc("POST /checkout", s.traced("POST /checkout", s.checkout))
	s.server, s.url, err = serve(mux)
	if err != nil {
		return nil, errors.Join(err, s.vendor.Close())
	}
	return s, nil
}

// serve serves HTTP on the loopback interface until the server is closed.
func serve(h http.Handler) (server *http.Server, url string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	server = &http.Server{Handler: h}
	go server.Serve(l) // its error is that of Close
	return server, "http://" + l.Addr().String(), nil
}

func (s *shop) close() error {
	s.client.CloseIdleConnections()
	return errors.Join(s.server.Close(), s.vendor.Close())
}

// traced makes a handler of what answers a request, in a span.
func (s *shop) traced(name string, answer func(context.Context) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, span := s.tracer.Start(r.Context(), name, trace.WithSpanKind(trace.SpanKindServer),
			trace.WithAttributes(attribute.String("http.request.method", r.Method), attribute.String("http.route", r.URL.Path)))
		defer span.End()
		status := http.StatusOK
		if err := answer(ctx); err != nil {
			status = http.StatusServiceUnavailable
			span.SetStatus(codes.Error, err.Error())
		}
		span.SetAttributes(attribute.Int("http.response.status_code", status))
		w.WriteHeader(status)
	}
}

// stock reads the stock.
func (s *shop) stock(ctx context.Context) error {
	release, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	defer release()
	s.query(ctx, "SELECT stock")
	return nil
}

// checkout writes an order and charges the card.
func (s *shop) checkout(ctx context.Context) error {
	release, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	defer release()
	s.query(ctx, "INSERT orders")
	if !s.payInTransaction.Load() {
		release() // the order is written, and nobody needs the connection any more
	}
	return s.charge(ctx)
}

var errPoolTimeout = errors.New("pool: no connection within 400ms")

// acquire takes a connection from the pool. The function that gives it back may be called again.
func (s *shop) acquire(ctx context.Context) (release func(), err error) {
	_, span := s.tracer.Start(ctx, "pool.acquire", trace.WithAttributes(attribute.String("pool.name", "orders-db"), attribute.Int("pool.size", connections)))
	defer span.End()
	timeout := time.NewTimer(poolTimeout)
	defer timeout.Stop()
	select {
	case <-s.pool:
		return sync.OnceFunc(func() { s.pool <- struct{}{} }), nil
	case <-timeout.C:
		span.SetStatus(codes.Error, errPoolTimeout.Error())
		return nil, errPoolTimeout
	}
}

// query asks the database, which is a pause.
func (s *shop) query(ctx context.Context, name string) {
	_, span := s.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("db.system.name", "postgresql"), attribute.String("server.address", "orders-db")))
	defer span.End()
	time.Sleep(queryTakes)
}

// charge calls the card vendor.
func (s *shop) charge(ctx context.Context) error {
	ctx, span := s.tracer.Start(ctx, "POST /charge", trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("http.request.method", "POST"), attribute.String("server.address", "cards.example")))
	defer span.End()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.charges, nil)
	if err != nil {
		return err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
		return err
	}
	defer resp.Body.Close()
	span.SetAttributes(attribute.Int("http.response.status_code", resp.StatusCode))
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// load sends a hundred requests a second, whether or not earlier ones were answered, until ctx ends.
func load(ctx context.Context, url string) {
	client := http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	defer client.CloseIdleConnections()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var requests sync.WaitGroup
	defer requests.Wait()
	for n := 0; ; n++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		method, path := http.MethodPost, "/checkout"
		if n%4 == 0 {
			method, path = http.MethodGet, "/stock"
		}
		requests.Go(func() {
			req, err := http.NewRequestWithContext(ctx, method, url+path, nil)
			if err != nil {
				return
			}
			if resp, err := client.Do(req); err == nil { // what fails is in the traces
				resp.Body.Close()
			}
		})
	}
}
