package evaluate_test

import (
	"context"
	"fmt"

	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/rca/evaluate"
)

// A database became slow, and everyone who waits for it did too.
func Example() {
	set := tracetext.Set(`
trace 1 source=baseline
web/buy 0+30
  cart/pay 1+20
    db/select 2+10
trace 2 source=incident
web/buy 0+80
  cart/pay 1+70
    db/select 2+60
`)
	slowDatabase := func(context.Context) (*evaluate.Case, error) {
		return &evaluate.Case{
			Name: "slow database", Set: set,
			Baseline: set.Source("baseline"), Incident: set.Source("incident"),
			Label: evaluate.Label{
				Incident: true, Dataset: "example",
				Causes: []evaluate.Cause{{Services: []string{"db"}}},
			},
		}, nil
	}

	r, err := evaluate.Run(context.Background(), []evaluate.Loader{slowDatabase}, evaluate.Naive(), evaluate.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range r.Groups[0].Scores {
		fmt.Printf("%-20s AC@1 %.2f\n", s.Ranker, s.Services.AC[0].Value)
	}
	// Output:
	// chance               AC@1 0.33
	// most errors          AC@1 0.00
	// most extra errors    AC@1 0.00
	// largest slowdown     AC@1 0.33
	// attribute difference AC@1 0.00
	// failing attribute    AC@1 0.00
	// self-time excess     AC@1 1.00
}

// Ten answers at 90 %, of which nine were right, and ten at 60 %, of which three were.
func ExampleCalibrate() {
	var answers []evaluate.Forecast
	for i := range 10 {
		answers = append(answers,
			evaluate.Forecast{Confidence: 0.9, Right: i < 9},
			evaluate.Forecast{Confidence: 0.6, Right: i < 3})
	}
	c := evaluate.Calibrate(answers, 10, 1)
	fmt.Printf("Brier %.3f, calibration error %.3f\n", c.Brier, c.ECE)
	for _, b := range c.Bins {
		fmt.Printf("said %.2f: right in %.2f (%.2f to %.2f)\n", b.Confidence, b.Right.Value, b.Right.Low, b.Right.High)
	}
	// Output:
	// Brier 0.195, calibration error 0.150
	// said 0.60: right in 0.30 (0.07 to 0.65)
	// said 0.90: right in 0.90 (0.55 to 1.00)
}
