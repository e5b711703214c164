// Package backendtest tries package ingest/backend on a real Jaeger that watches a real application. It has
// a module of its own, and builds both in another one, so that nobody who imports tracewhy gets their
// hundreds of dependencies.
//
//	cd internal/backendtest && BACKENDTEST_BIN=$HOME/.cache/backendtest go test -v -count 1 .
//
// BACKENDTEST_BIN names the folder where the programs jaeger and hotrod are, or are to be built the first
// time, which takes some minutes of processor time and needs a Go module proxy. Without it the test is
// skipped. The programs listen on free ports of the loopback interface, and end with the test, which takes
// about a minute.
//
// HotROD is Jaeger's example application: a taxi service whose customer database gives one connection at a
// time. Baseline is HotROD with that lock taken out, incident is HotROD as it comes, both under the same
// load.
package backendtest
