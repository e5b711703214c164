package evaluate

import (
	"math"
	"slices"

	"github.com/tracewhy/tracewhy/internal/stats"
	"github.com/tracewhy/tracewhy/internal/stats/special"
	"github.com/tracewhy/tracewhy/rca"
)

// FalseConfidence is the confidence from which on a wrong answer counts as falsely confident.
const FalseConfidence = 0.8

// Forecast is a confidence with what came of it.
type Forecast struct {
	Confidence float64 // from 0 to 1
	Right      bool
}

// Calibration says whether confidence means what it says: that of answers given with confidence p a
// share p is right.
type Calibration struct {
	Forecasts int `json:"forecasts"`
	Right     int `json:"right"`
	// Brier is the mean of (confidence - right)² (G. W. Brier, 1950), from 0 to 1; always saying p costs
	// p(1-p) where p is the share that is right, and Skill is how much of that was saved, at most 1.
	Brier rca.Number `json:"brier"`
	Skill rca.Number `json:"brier_skill"`
	// LogLoss is the mean of -ln of the probability given to what came. Confidences are taken to be at
	// least 1e-6 away from 0 and 1, without which one wrong certainty would make it infinite.
	LogLoss rca.Number `json:"log_loss"`
	// Slope and Intercept are those of a logistic regression of right on the log-odds of confidence
	// (D. R. Cox, 1958): 1 and 0 for calibrated forecasts; a slope below 1 says that confidences are too
	// extreme. They are unknown where no finite line fits.
	Slope     rca.Number `json:"slope"`
	Intercept rca.Number `json:"intercept"`
	// ECE is the expected calibration error: the mean distance between confidence and share right over
	// the bins, weighted by their sizes. It is far above 0 for few forecasts, however good they are: the
	// mean for forecasters that mean what they say, with these very confidences, is NullECE.Value, and 95 %
	// of them lie between its Low and High. DebiasedECE is ECE less that mean.
	ECE         rca.Number   `json:"ece"`
	NullECE     rca.Interval `json:"null_ece"`
	DebiasedECE rca.Number   `json:"debiased_ece"`
	// FalselyConfident is the share of wrong answers among those given with a confidence of
	// FalseConfidence or more.
	FalselyConfident Proportion `json:"falsely_confident"`
	// Bins are the reliability table: bins of equal width, without the empty ones.
	Bins []Bin `json:"bins"`
}

// Bin is the forecasts whose confidence lies in [From, To), the last bin including 1.
type Bin struct {
	From       float64    `json:"from"`
	To         float64    `json:"to"`
	Confidence rca.Number `json:"confidence"` // the mean
	Right      Proportion `json:"right"`
}

// nullReplicates is how many forecasters that mean what they say are simulated.
const nullReplicates = 2000

// Calibrate examines forecasts in a number of bins, 10 if bins is not positive. The seed is for the
// simulation of NullECE. Forecasts whose confidence is not in [0, 1] are left out.
func Calibrate(forecasts []Forecast, bins int, seed uint64) Calibration {
	if bins <= 0 {
		bins = 10
	}
	fs := slices.DeleteFunc(slices.Clone(forecasts), func(f Forecast) bool { return !(f.Confidence >= 0 && f.Confidence <= 1) })
	c := Calibration{
		Forecasts: len(fs), Brier: rca.Unknown(), Skill: rca.Unknown(), LogLoss: rca.Unknown(),
		Slope: rca.Unknown(), Intercept: rca.Unknown(), ECE: rca.Unknown(), DebiasedECE: rca.Unknown(),
		NullECE:          rca.Interval{Value: rca.Unknown(), Low: rca.Unknown(), High: rca.Unknown()},
		FalselyConfident: proportion(0, 0),
		Bins:             []Bin{},
	}
	if len(fs) == 0 {
		return c
	}
	n := float64(len(fs))
	var squares, logs []float64
	confident, wrong := 0, 0
	for _, f := range fs {
		d := f.Confidence
		p := clip(1 - f.Confidence)
		if f.Right {
			d = 1 - f.Confidence
			p = clip(f.Confidence)
			c.Right++
		}
		squares = append(squares, d*d)
		logs = append(logs, -special.Log(p))
		if f.Confidence >= FalseConfidence {
			confident++
			if !f.Right {
				wrong++
			}
		}
	}
	brier := stats.Mean(squares)
	share := float64(c.Right) / n
	c.Brier = rca.Number(brier)
	c.Skill = rca.Number(1 - brier/float64(share*(1-share))) // unknown where all are right, or none
	c.LogLoss = rca.Number(stats.Mean(logs))
	slope, intercept := calibrationLine(fs)
	c.Slope, c.Intercept = rca.Number(slope), rca.Number(intercept)
	c.FalselyConfident = proportion(float64(wrong), confident)

	t := newBinning(fs, bins)
	for b := range bins {
		if of := t.size[b]; of > 0 {
			c.Bins = append(c.Bins, Bin{
				From: float64(b) / float64(bins), To: float64(b+1) / float64(bins),
				Confidence: rca.Number(t.sum[b] / float64(of)),
				Right:      proportion(float64(t.right[b]), of),
			})
		}
	}
	ece := t.ece(t.right)
	null := t.null(fs, seed)
	mean := stats.Mean(null.Values())
	c.ECE, c.DebiasedECE = rca.Number(ece), rca.Number(ece-mean)
	c.NullECE = rca.Interval{
		Value: rca.Number(mean),
		Low:   rca.Number(null.Quantile(0.025)), High: rca.Number(null.Quantile(0.975)),
	}
	return c
}

// clip keeps a probability away from 0 and 1.
func clip(p float64) float64 { return min(max(p, 1e-6), 1-1e-6) }

// binning is forecasts in bins of equal width.
type binning struct {
	of    []int // by forecast: its bin
	size  []int
	right []int
	sum   []float64 // of confidences
}

func newBinning(fs []Forecast, bins int) *binning {
	t := &binning{make([]int, len(fs)), make([]int, bins), make([]int, bins), make([]float64, bins)}
	for i, f := range fs {
		b := min(int(f.Confidence*float64(bins)), bins-1)
		t.of[i] = b
		t.size[b]++
		t.sum[b] += f.Confidence
		if f.Right {
			t.right[b]++
		}
	}
	return t
}

// ece returns the expected calibration error if so many were right in each bin.
func (t *binning) ece(right []int) float64 {
	var total float64
	n := 0
	for b, size := range t.size {
		total += math.Abs(t.sum[b] - float64(right[b]))
		n += size
	}
	return total / float64(n)
}

// null returns the errors of simulated forecasters that have the same confidences and are right as
// often as these say.
func (t *binning) null(fs []Forecast, seed uint64) stats.Sample {
	errors := make([]float64, nullReplicates)
	right := make([]int, len(t.size))
	for r := range errors {
		rand := stats.NewRand(seed, stats.Key("calibration"), uint64(r))
		clear(right)
		for i, f := range fs {
			if rand.Float64() < f.Confidence {
				right[t.of[i]]++
			}
		}
		errors[r] = t.ece(right)
	}
	return stats.NewSample(errors)
}

// calibrationLine fits P(right) = 1/(1+exp(-(a+b·logit(confidence)))) by maximum likelihood with Newton's
// method, and returns b and a: NaN where the fit has no finite optimum, because confidence tells right
// from wrong without an exception, does not vary, or nothing but one outcome was seen.
func calibrationLine(fs []Forecast) (slope, intercept float64) {
	var a, b float64 = 0, 1
	for range 50 {
		var g0, g1, h00, h01, h11 float64
		for _, f := range fs {
			p := clip(f.Confidence)
			x := special.Log(p) - special.Log(1-p)
			q := 1 / (1 + special.Exp(-(a + float64(b*x))))
			d := -q
			if f.Right {
				d = 1 - q
			}
			w := q * (1 - q)
			g0 += d
			g1 += float64(d * x)
			h00 += w
			h01 += float64(w * x)
			h11 += float64(float64(w*x) * x)
		}
		det := float64(h00*h11) - float64(h01*h01)
		if !(det > 1e-12*h00*h11) || math.Abs(a) > 1e3 || math.Abs(b) > 1e3 {
			break
		}
		da := (float64(h11*g0) - float64(h01*g1)) / det
		db := (float64(h00*g1) - float64(h01*g0)) / det
		a, b = a+da, b+db
		if math.Abs(da) < 1e-9 && math.Abs(db) < 1e-9 {
			return b, a
		}
	}
	return math.NaN(), math.NaN()
}
