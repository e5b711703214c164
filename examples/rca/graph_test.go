package main

import (
	"encoding/json"
	"testing"
)

func TestGraphGolden(t *testing.T) {
	baseline, incident := mortgages(t)
	goldens(t, "graph", map[string][]string{
		"graph.demo.txt":  {"-rows", "8", demoFolder},
		"graph.alone.txt": {incident},
		"graph.txt":       {"-baseline", baseline, incident},
		"graph.mmd":       {"-format", "mermaid", "-numbers", incident},
		"graph.dot":       {"-format", "dot", "-operations", incident},
		"graph.help.txt":  {"-h"},
	})
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
	rejects(t, "graph", []rejected{
		{nil, statusUsage, "name the traces"},
		{[]string{"-format", "xml", incident}, statusUsage, "xml"},
		{[]string{"-rows", "-1", incident}, statusUsage, "-1"},
		{[]string{"missing.jsonl"}, statusInput, "missing.jsonl"},
		{[]string{write(t, t.TempDir(), "empty.jsonl", "")}, statusInput, "empty.jsonl"},
	})
}
