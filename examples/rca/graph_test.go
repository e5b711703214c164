package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGraphGolden(t *testing.T) {
	baseline, incident := mortgages(t)
	for name, args := range map[string][]string{
		"graph.demo.txt":  {"-rows", "8", demoFolder},
		"graph.alone.txt": {incident},
		"graph.txt":       {"-baseline", baseline, incident},
		"graph.mmd":       {"-format", "mermaid", "-numbers", incident},
		"graph.dot":       {"-format", "dot", "-operations", incident},
		"graph.help.txt":  {"-h"},
	} {
		got := execute(t, "", append([]string{"graph"}, args...)...)
		if got.status != statusOK || got.stderr != "" {
			t.Fatalf("%v: status %d: %s", args, got.status, got.stderr)
		}
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, []byte(got.stdout), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got.stdout); d != "" {
			t.Errorf("%v differs from %s (-want +got):\n%s", args, file, d)
		}
	}
}

func TestGraphAsJSON(t *testing.T) {
	got := execute(t, "", "graph", "-format", "json", demoFolder)
	var d struct {
		Graph struct {
			Nodes []struct{ Name string }
			Edges []struct{ From, To string }
		}
		Fault struct{ Domain, Name string } `json:"fault_domain"`
	}
	if err := json.Unmarshal([]byte(got.stdout), &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Graph.Nodes) == 0 || len(d.Graph.Edges) == 0 || d.Fault.Domain != "internal" || d.Fault.Name != "fraud-guard" {
		t.Errorf("%d nodes, %d edges, fault %+v", len(d.Graph.Nodes), len(d.Graph.Edges), d.Fault)
	}
}

func TestGraphUsage(t *testing.T) {
	_, incident := shopFiles(t)
	for _, test := range []struct {
		args   []string
		status int
		says   string
	}{
		{nil, statusUsage, "name the traces"},
		{[]string{"-format", "xml", incident}, statusUsage, "xml"},
		{[]string{"-rows", "-1", incident}, statusUsage, "-1"},
		{[]string{"missing.jsonl"}, statusInput, "missing.jsonl"},
		{[]string{write(t, t.TempDir(), "empty.jsonl", "")}, statusInput, "empty.jsonl"},
	} {
		got := execute(t, "", append([]string{"graph"}, test.args...)...)
		if got.status != test.status || !strings.Contains(got.stderr, test.says) {
			t.Errorf("%v: status %d: %s", test.args, got.status, got.stderr)
		}
	}
}
