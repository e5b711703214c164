package evaluate

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy/internal/stats"
	"github.com/tracewhy/tracewhy/rca"
)

func forecasts(confidences []float64, right []int) []Forecast {
	var fs []Forecast
	for i, p := range confidences {
		fs = append(fs, Forecast{p, right[i] == 1})
	}
	return fs
}

func near(got rca.Number, want float64) bool { return math.Abs(float64(got)-want) <= 1e-9 }

// The example of scikit-learn's brier_score_loss, and one whose bins were counted by hand.
func TestCalibrateReference(t *testing.T) {
	c := Calibrate(forecasts([]float64{.1, .9, .8, .3}, []int{0, 1, 1, 0}), 0, 0)
	if !near(c.Brier, 0.0375) || !near(c.LogLoss, 0.19763488164214868) || !near(c.Skill, 1-0.0375/0.25) {
		t.Errorf("Brier %v, log loss %v, skill %v, want 0.0375, 0.197635, 0.85", c.Brier, c.LogLoss, c.Skill)
	}
	c = Calibrate(forecasts(
		[]float64{0.05, 0.1, 0.15, 0.2, 0.35, 0.4, 0.45, 0.55, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.95},
		[]int{0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 1, 1}), 5, 0)
	if !near(c.Brier, 0.17828125) || !near(c.ECE, 0.115625) {
		t.Errorf("Brier %v, ECE %v, want 0.17828125 and 0.115625", c.Brier, c.ECE)
	}
	if c.Right != 9 || c.FalselyConfident.Hits != 1 || c.FalselyConfident.Of != 5 {
		t.Errorf("%d right, %v of %d falsely confident, want 9, 1 of 5", c.Right, c.FalselyConfident.Hits, c.FalselyConfident.Of)
	}
	n := 0
	for _, b := range c.Bins {
		n += b.Right.Of
	}
	if len(c.Bins) != 5 || n != 16 {
		t.Errorf("%d bins of %d forecasts, want 5 of 16", len(c.Bins), n)
	}
}

// sure returns n forecasts of one confidence, so many of which are right.
func sure(confidence float64, right, n int) []Forecast {
	var fs []Forecast
	for i := range n {
		fs = append(fs, Forecast{confidence, i < right})
	}
	return fs
}

// With two confidences the fitted line goes through both observed log-odds.
func TestCalibrationLine(t *testing.T) {
	for _, test := range []struct {
		name             string
		fs               []Forecast
		slope, intercept float64
	}{
		{"as said", append(sure(0.2, 2, 10), sure(0.8, 8, 10)...), 1, 0},
		{"too extreme", append(sure(0.1, 5, 20), sure(0.9, 15, 20)...), 0.5, 0}, // log 3 / log 9
		{"meaningless", append(sure(0.2, 5, 10), sure(0.8, 5, 10)...), 0, 0},
		{"too high", append(sure(0.5, 2, 10), sure(0.8, 5, 10)...), 1, -math.Log(4)},
		{"separated", append(sure(0.2, 0, 10), sure(0.8, 10, 10)...), math.NaN(), math.NaN()},
		{"one confidence", sure(0.7, 7, 10), math.NaN(), math.NaN()},
		{"all right", append(sure(0.7, 10, 10), sure(0.9, 10, 10)...), math.NaN(), math.NaN()},
	} {
		slope, intercept := calibrationLine(test.fs)
		if diff := cmp.Diff([]float64{test.slope, test.intercept}, []float64{slope, intercept}, close12); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

// The error of forecasters that mean what they say, with uniform confidences in 10 bins, as simulated
// elsewhere: mean and 95th percentile.
func TestNullECE(t *testing.T) {
	for _, test := range []struct {
		n          int
		mean, high float64
	}{{50, 0.1389, 0.1975}, {100, 0.0997, 0.1419}, {200, 0.0706, 0.1001}} {
		var errors []float64
		for world := range 10 {
			rand := stats.NewRand(1, uint64(world))
			var fs []Forecast
			for range test.n {
				fs = append(fs, Forecast{Confidence: rand.Float64()})
			}
			errors = append(errors, newBinning(fs, 10).null(fs, uint64(world)).Values()...)
		}
		if mean := stats.Mean(errors); math.Abs(mean-test.mean) > 0.03*test.mean {
			t.Errorf("n = %d: mean %.4f, want %.4f", test.n, mean, test.mean)
		}
		if high := stats.NewSample(errors).Quantile(0.95); math.Abs(high-test.high) > 0.03*test.high {
			t.Errorf("n = %d: 95th percentile %.4f, want %.4f", test.n, high, test.high)
		}
	}
}

// A forecaster that means what it says lies within the null band 95 times in 100 and has a debiased
// error of 0 on average; one that is always too sure lies above the band.
func TestCalibrateJudges(t *testing.T) {
	inside, total := 0, 0.0
	const worlds = 100
	for w := range worlds {
		rand := stats.NewRand(7, uint64(w))
		var fs []Forecast
		for range 50 {
			p := rand.Float64()
			fs = append(fs, Forecast{p, rand.Float64() < p})
		}
		c := Calibrate(fs, 10, uint64(w))
		if c.ECE >= c.NullECE.Low && c.ECE <= c.NullECE.High {
			inside++
		}
		total += float64(c.DebiasedECE) / worlds
	}
	if inside < 88 || math.Abs(total) > 0.015 {
		t.Errorf("inside the band %d times of %d, mean debiased ECE %.4f", inside, worlds, total)
	}
	c := Calibrate(append(sure(0.95, 30, 50), sure(0.9, 25, 50)...), 10, 0)
	if c.ECE <= c.NullECE.High || c.DebiasedECE < 0.3 {
		t.Errorf("ECE %v with band up to %v, debiased %v: an overconfident forecaster passes", c.ECE, c.NullECE.High, c.DebiasedECE)
	}
}

func TestCalibrateEdges(t *testing.T) {
	if c := Calibrate(nil, 10, 0); c.Forecasts != 0 || c.Brier.IsKnown() || c.NullECE.Value.IsKnown() || c.Bins == nil {
		t.Errorf("no forecasts: %+v", c)
	}
	c := Calibrate([]Forecast{{1, true}, {0, false}, {math.NaN(), true}, {1.5, true}}, 10, 0)
	if c.Forecasts != 2 || c.Brier != 0 || c.ECE != 0 || len(c.Bins) != 2 {
		t.Errorf("certain and right: %+v", c)
	}
	if c := Calibrate([]Forecast{{1, false}}, 10, 0); !c.LogLoss.IsKnown() || c.Brier != 1 || c.FalselyConfident.Value != 1 {
		t.Errorf("certain and wrong: %+v", c)
	}
}
