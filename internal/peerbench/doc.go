// Package peerbench measures tracewhy against what a user would take instead. It has a module of its own,
// so that nobody who imports tracewhy gets the peers too.
//
//	cd internal/peerbench && go test -bench . -benchtime 5x -count 5
//
// The corpus is made by package scenario, unless PEERBENCH_CORPUS names a folder with files
// *.otlp.jsonl (OTLP JSON lines) and *.otlp.pb (OTLP messages, each after its length as a varint).
// Times are CPU times of the whole process, garbage collection included, per span: "cpu-ns/span".
package peerbench
