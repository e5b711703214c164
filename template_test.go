package tracewhy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// operations builds a Set of spans with the given names and returns their operations.
func operations(names ...string) []string {
	var b Builder
	for i, name := range names {
		b.Add(&SpanData{TraceID: tid(1), SpanID: SpanID{6: byte((i + 1) >> 8), 7: byte(i + 1)}, Name: name, Start: uint64(i + 1), End: 1 << 20})
	}
	set, err := b.Build(context.Background())
	if err != nil {
		panic(err)
	}
	var ops []string
	for s := range set.Trace(0).Spans() {
		ops = append(ops, s.Operation())
	}
	return ops
}

func TestCertainTemplates(t *testing.T) {
	tests := []struct{ name, want string }{
		{"GET /users/123", "GET /users/{id}"},
		{"GET /users/123/orders/77", "GET /users/{id}/orders/{id}"},
		{"GET /users/123.json", "GET /users/{id}.json"},
		{"GET /v1/users/123", "GET /v1/users/{id}"},
		{"GET /v2/users/123", "GET /v2/users/{id}"},
		{"GET /api/2/users", "GET /api/2/users"},
		{"GET /users/{id}", "GET /users/{id}"},
		{"GET /users/:id", "GET /users/:id"},
		{"GET /errors/404", "GET /errors/404"},
		{"GET /status/500", "GET /status/500"},
		{"HTTP 500", "HTTP 500"},
		{"http://shop/cart/9981", "http://shop/cart/{id}"},
		{"GET /search?q=red+shoes&page=2", "GET /search"},
		{"what?", "what?"},
		{"order 7f0d5f6e-61a4-4b9f-9d0c-3f9a0f2b7c11 paid", "order {id} paid"},
		{"order-7F0D5F6E-61A4-4B9F-9D0C-3F9A0F2B7C11", "order-{id}"},
		{"7f0d5f6e-61a4-4b9f-9d0c-3f9a0f2b7c1", "7f0d5f6e-61a4-4b9f-9d0c-3f9a0f2b7c1"}, // a digit short, and alone of its kind
		{"blob 5b8efff798038103d269b633813fc60c", "blob {id}"},
		{"order 20241107", "order {id}"},
		{"ulid 01ARZ3NDEKTSV4RRFFQ69G5FAV", "ulid {id}"},
		{"deadbeefdeadbeef", "deadbeefdeadbeef"}, // words, for all we know
		{"md5", "md5"},
		{"worker-7", "worker-7"},
		{"kafka topic-v2 publish", "kafka topic-v2 publish"},
		{"connect redis:6379", "connect redis:6379"},
		{"ORA-00942", "ORA-00942"},
		{"größe 42", "größe 42"},
		{"", ""},
		{"SELECT shop.orders", "SELECT shop.orders"},
		{"SELECT * FROM orders WHERE id = 42", "SELECT * FROM orders WHERE id = ?"},
		{"select name from t1 where a='it''s' and b = 3.14", "select name from t1 where a=? and b = ?"},
		{"SELECT * FROM t WHERE id IN (1, 2,3)", "SELECT * FROM t WHERE id IN (?)"},
		{"SELECT * FROM t WHERE id IN (?, ?)", "SELECT * FROM t WHERE id IN (?, ?)"},
		{"INSERT INTO t VALUES (1, 'a'), (2, 'b'),(3,'c')", "INSERT INTO t VALUES (?)"},
		{`UPDATE "t 1" SET x = 0xFF WHERE y = 'a\'b'`, `UPDATE "t 1" SET x = ? WHERE y = ?`},
		{"SELECT x FROM t WHERE y = 'cut off", "SELECT x FROM t WHERE y = ?"},
		{"SELECT\n*\nFROM t WHERE id=7", "SELECT\n*\nFROM t WHERE id=?"},
		{"SELECT * FROM t WHERE f(x), (3)", "SELECT * FROM t WHERE f(x), (?)"},
		{"DELETE /orders/4711", "DELETE /orders/{id}"},
		{"DELETE FROM orders WHERE day < 20240101", "DELETE FROM orders WHERE day < ?"},
		{"CALL settle(17)", "CALL settle(?)"},
		{"call settlement 17", "call settlement 17"},
	}
	for _, tt := range tests {
		if got := operations(tt.name)[0]; got != tt.want {
			t.Errorf("%q has the operation %q, want %q", tt.name, got, tt.want)
		}
	}
}

// What may be part of a name is a template only where it varies.
func TestLooseTemplates(t *testing.T) {
	numbered := func(format string, n int) (names []string) {
		for i := range n {
			names = append(names, fmt.Sprintf(format, i+1))
		}
		return names
	}
	tests := []struct {
		why   string
		names []string
		want  []string // the different operations
	}{
		{"few shards are operations", numbered("shard-%d", maxSpellings), numbered("shard-%d", maxSpellings)},
		{"many workers are not", numbered("worker-%d", maxSpellings+1), []string{"worker-{id}"}},
		{"a word keeps to its number", numbered("worker%d", 20), []string{"worker{id}"}},
		{"versions stay apart beside a number that varies", append(numbered("v1 job-%d", 20), numbered("v2 job-%d", 20)...), []string{"v1 job-{id}", "v2 job-{id}"}},
		{"and beside an identifier that is certain", append(numbered("GET /v1/users/%d00", 20), numbered("GET /v2/users/%d00", 20)...), []string{"GET /v1/users/{id}", "GET /v2/users/{id}"}},
		{"status codes stay apart, however many", numbered("HTTP %d00", 12), numbered("HTTP %d00", 12)},
		{"different names do not add up", append(numbered("read-%d", 9), numbered("write-%d", 9)...), append(numbered("read-%d", 9), numbered("write-%d", 9)...)},
		{"the same name again does not add up", append(numbered("shard-%d", 9), numbered("shard-%d", 9)...), numbered("shard-%d", 9)},
		{"a small number joins large ones", []string{"GET /users/7", "GET /users/12"}, []string{"GET /users/{id}"}},
		{"but an API's version does not", []string{"GET /api/2/users/7", "GET /api/2/users/12", "GET /api/3/users/12"}, []string{"GET /api/2/users/{id}", "GET /api/3/users/{id}"}},
	}
	for _, tt := range tests {
		got := operations(tt.names...)
		slices.Sort(got)
		got = slices.Compact(got)
		want := slices.Clone(tt.want)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", tt.why, got, want)
		}
	}
}

func TestTemplatesKeepTheName(t *testing.T) {
	set := SetOf(span(1, 0, "GET /users/123", 0, 1), span(2, 1, "GET /users/456", 0, 1), span(3, 1, "plain", 0, 1))
	if a, b := set.Span(1), set.Span(0); a.Name() == b.Name() || a.Operation() != b.Operation() {
		t.Errorf("%q and %q are %q and %q", a.Name(), b.Name(), a.Operation(), b.Operation())
	}
	if n := counts(set)[ProblemNameTemplated]; n != 2 {
		t.Errorf("%d names templated, want 2", n)
	}
}

// A family of names is known by a text, and no name may pass for one.
func TestTemplatesOfStrangeNames(t *testing.T) {
	operations("a\x00-1", "a1-1", "a\xff-1", "{id}1", strings.Repeat("x1-", 5000), "7", "'", "SELECT '", "SELECT '\\")
}
