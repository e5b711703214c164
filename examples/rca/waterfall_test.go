package main

import "testing"

// The traces of the embedded incident that the demo shows.
const (
	failingID = "ffa513d3"
	healthyID = "11c8bb02"
)

func TestWaterfallGolden(t *testing.T) {
	goldens(t, "waterfall", map[string][]string{
		"waterfall.txt":          {demoFolder, failingID, healthyID},
		"waterfall.short.txt":    {"-rows", "6", "-width", "60", demoFolder, failingID},
		"waterfall.mmd":          {"-format", "mermaid", demoFolder, failingID},
		"waterfall.sequence.txt": {"-sequence", demoFolder, failingID, healthyID},
		"waterfall.sequence.mmd": {"-sequence", "-format", "mermaid", "-rows", "12", demoFolder, failingID},
		"waterfall.help.txt":     {"-h"},
	})
}

func TestWaterfallUsage(t *testing.T) {
	rejects(t, "waterfall", []rejected{
		{[]string{demoFolder}, statusUsage, "ids of the traces"},
		{[]string{"-format", "dot", demoFolder, failingID}, statusUsage, "dot"},
		{[]string{"-format", "mermaid", demoFolder, failingID, healthyID}, statusUsage, "one trace"},
		{[]string{"-rows", "0", demoFolder, failingID}, statusUsage, "-rows"},
		{[]string{demoFolder, "0000"}, statusInput, "no trace"},
	})
}
