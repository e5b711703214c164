package special

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"testing"
)

// arguments yields about a thousand numbers of all sizes within (lo, hi): evenly spaced, and geometric toward
// the ends. It uses nothing but exact operations and division.
func arguments(lo, hi float64) []float64 {
	var xs []float64
	for i := 1; i < 800; i++ {
		xs = append(xs, lo+float64((hi-lo)*(float64(i)/800)))
	}
	for i := range 100 {
		small := math.Ldexp(1+float64(i)/128, -i)
		if x := lo + small; x > lo && x < hi {
			xs = append(xs, x)
		}
		if x := hi - small; x > lo && x < hi {
			xs = append(xs, x)
		}
	}
	return xs
}

// TestBits compares a digest of each function's results, bit for bit, with that of amd64. To try another port:
//
//	GOARCH=arm64 CGO_ENABLED=0 go test -c && qemu-aarch64 special.test
func TestBits(t *testing.T) {
	two := func(f func(a, x float64) float64) func(float64) float64 {
		return func(x float64) float64 {
			sum := uint64(0)
			for _, a := range []float64{0.3, 1, 2.5, 17, 400.5} {
				sum = sum*31 + math.Float64bits(f(a, x))
			}
			return math.Float64frombits(sum)
		}
	}
	for _, test := range []struct {
		name   string
		f      func(float64) float64
		lo, hi float64
		want   string
	}{
		{"Log", Log, 0, 50, "2ec0b33c8b0f2e7b"},
		{"Exp", Exp, -700, 700, "cd9d4f5e0f9b66a9"},
		{"Log1p", Log1p, -1, 3, "72f6cd4f2ee9d18d"},
		{"Expm1", Expm1, -3, 3, "ba594117324e451e"},
		{"NormalCDF", NormalCDF, -38, 9, "6538da6ba50ee833"},
		{"NormalQuantile", NormalQuantile, 0, 1, "1dce1fdc9e6b5288"},
		{"LogGamma", LogGamma, 0, 60, "e490d2bce5be3fcd"},
		{"GammaP", two(GammaP), 0, 500, "5eae196f8d8c23ae"},
		{"GammaQ", two(GammaQ), 0, 500, "5a78ef5b4bd3b364"},
		{"Beta", two(func(a, x float64) float64 { return Beta(a, 3.5, x) }), 0, 1, "b73c0af64729e19d"},
		{"BetaQuantile", func(p float64) float64 { return BetaQuantile(3.5, 40, p) }, 0, 1, "7033165d4435ae3e"},
		{"BinomialMass", two(func(a, x float64) float64 { return BinomialMass(a, 500, x) }), 0, 1, "5d5715ed8693eef8"},
		{"HypergeometricMass", func(x float64) float64 {
			return HypergeometricMass(math.Floor(x), 300, 700, 500)
		}, 0, 300, "f2cfb8c206238d4e"},
		{"ChiSquareTail", func(x float64) float64 { return ChiSquareTail(x, 5) }, 0, 100, "b069ae055787f9ef"},
		{"StudentTail", func(x float64) float64 { return StudentTail(x, 7.5) }, -20, 20, "3ba850af588b03ae"},
		{"FTail", func(x float64) float64 { return FTail(x, 3, 44) }, 0, 20, "9287e126bea0f1a1"},
		{"BinomialCDF", func(x float64) float64 { return BinomialCDF(int(x), 400, 0.3) }, 0, 400, "9a35e821e7ee96bf"},
		{"LogChoose", func(x float64) float64 { return LogChoose(1000, int(x)) }, 0, 1000, "5ea1ca7570ab809b"},
	} {
		h := sha256.New()
		for _, x := range arguments(test.lo, test.hi) {
			h.Write(binary.BigEndian.AppendUint64(nil, math.Float64bits(test.f(x))))
		}
		if got := fmt.Sprintf("%x", h.Sum(nil)[:8]); got != test.want {
			t.Errorf("%s has digest %s, want %s", test.name, got, test.want)
		}
	}
}

// relative returns the relative error of got.
func relative(got, want float64) float64 {
	if got == want {
		return 0
	}
	return math.Abs(got-want) / math.Abs(want)
}

// TestAccuracy compares with package math, whose errors are below 1 unit in the last place.
func TestAccuracy(t *testing.T) {
	for _, test := range []struct {
		name      string
		got, want func(float64) float64
		lo, hi    float64
		tolerance float64
	}{
		{"Log", Log, math.Log, 0, 1, 4e-16},
		{"Log", Log, math.Log, 1, 1e300, 4e-16},
		{"Exp", Exp, math.Exp, -700, 700, 5e-16},
		{"Log1p", Log1p, math.Log1p, -1, 1, 1e-15},
		{"Log1p", Log1p, math.Log1p, 0, 1e9, 1e-15},
		{"Expm1", Expm1, math.Expm1, -2, 2, 2e-15},
		{"Expm1", Expm1, math.Expm1, -50, 700, 2e-15},
		{"erfc", erfc, math.Erfc, -7, 7, 5e-16},
		{"erfc", erfc, math.Erfc, 0, 26, 2e-15}, // where math.Erfc takes math.Exp of an unequal last bit
		{"LogGamma", func(x float64) float64 { return LogGamma(x) + 1 }, func(x float64) float64 {
			y, _ := math.Lgamma(x)
			return y + 1 // absolute error at the zeros
		}, 0, 4, 2e-14},
		{"LogGamma", LogGamma, func(x float64) float64 { y, _ := math.Lgamma(x); return y }, 4, 1e6, 1e-14},
	} {
		worst, at := 0.0, 0.0
		for _, x := range arguments(test.lo, test.hi) {
			if e := relative(test.got(x), test.want(x)); !(e <= worst) {
				worst, at = e, x
			}
		}
		if !(worst <= test.tolerance) {
			t.Errorf("%s has relative error %.2g at %v, want at most %.2g", test.name, worst, at, test.tolerance)
		}
	}
}

func TestNormalQuantileInverts(t *testing.T) {
	for _, x := range arguments(-37, 5) {
		// What x's last digits are worth in p depends on the slope there.
		if got := NormalQuantile(NormalCDF(x)); math.Abs(got-x) > 1e-14*math.Max(1, math.Abs(x))+4e-16/math.Exp(-x*x/2) {
			t.Errorf("NormalQuantile(NormalCDF(%v)) = %v", x, got)
		}
	}
	for _, p := range arguments(0, 0.5) {
		if got, want := NormalQuantile(1-p), -NormalQuantile(p); 1-(1-p) == p && got != want {
			t.Errorf("NormalQuantile(1-%v) = %v, want %v", p, got, want)
		}
	}
	// M. J. Wichura's own test values, Applied Statistics 37 (1988).
	for _, test := range []struct{ p, want float64 }{
		{0.25, -0.6744897501960817}, {0.001, -3.090232306167814}, {1e-20, -9.262340089798408},
	} {
		if got := NormalQuantile(test.p); relative(got, test.want) > 1e-15 {
			t.Errorf("NormalQuantile(%v) = %v, want %v", test.p, got, test.want)
		}
	}
}

// TestBinomialMass compares with exact rational arithmetic.
func TestBinomialMass(t *testing.T) {
	for _, n := range []int64{1, 2, 7, 40, 1000} {
		for k := int64(0); k <= n; k += 1 + n/50 {
			for _, p := range []float64{0.5, 0.125, 0.9375} {
				exact := new(big.Rat).SetInt(new(big.Int).Binomial(n, k))
				exact.Mul(exact, power(p, k)).Mul(exact, power(1-p, n-k))
				want, _ := exact.Float64()
				if got := BinomialMass(float64(k), float64(n), p); want > 1e-300 && relative(got, want) > 1e-12 {
					t.Errorf("BinomialMass(%d, %d, %v) = %v, want %v", k, n, p, got, want)
				}
			}
		}
	}
}

func power(p float64, k int64) *big.Rat {
	r := new(big.Rat).SetFloat64(p)
	num := new(big.Int).Exp(r.Num(), big.NewInt(k), nil)
	den := new(big.Int).Exp(r.Denom(), big.NewInt(k), nil)
	return new(big.Rat).SetFrac(num, den)
}

// TestBinomialCDF compares with sums of exact rational numbers, in both tails.
func TestBinomialCDF(t *testing.T) {
	for _, n := range []int64{1, 5, 60, 500} {
		for _, p := range []float64{0.5, 0.0625, 0.75} {
			sum := new(big.Rat)
			for k := int64(0); k < n; k++ {
				term := new(big.Rat).SetInt(new(big.Int).Binomial(n, k))
				sum.Add(sum, term.Mul(term, power(p, k)).Mul(term, power(1-p, n-k)))
				want, _ := sum.Float64()
				if got := BinomialCDF(int(k), int(n), p); relative(got, want) > 1e-11 && want > 1e-290 {
					t.Errorf("BinomialCDF(%d, %d, %v) = %v, want %v", k, n, p, got, want)
				}
			}
		}
	}
}

func TestTails(t *testing.T) {
	cauchy := func(x float64) float64 { return 0.5 - math.Atan(x)/math.Pi }
	for _, test := range []struct {
		name      string
		got, want float64
		tolerance float64
	}{
		// A. Agresti, An Introduction to Categorical Data Analysis (2007), p. 39: party by gender.
		{"chi-square, 2 df", ChiSquareTail(30.070149095754672, 2), 2.9535891832117595e-07, 1e-12},
		{"chi-square, 2 df, G", ChiSquareTail(30.016692613239655, 2), 3.0335979106388314e-07, 1e-12},
		{"chi-square, 1 df", ChiSquareTail(13.031674208144796, 1), 0.00030626663018354963, 1e-12},
		{"chi-square, 1 df, Yates", ChiSquareTail(10.45814479638009, 1), 0.001221098516311509, 1e-12},
		{"chi-square, exponential", ChiSquareTail(7, 2), math.Exp(-3.5), 1e-13},
		{"chi-square, far", ChiSquareTail(1400, 2), math.Exp(-700), 1e-12},
		{"t, 1 df", StudentTail(2, 1), cauchy(2), 1e-13},
		{"t, 1 df, below", StudentTail(-3, 1), cauchy(-3), 1e-13},
		{"t, 2 df", StudentTail(3, 2), 0.5 - 3/(2*math.Sqrt(11)), 1e-12},
		{"t, normal", StudentTail(1.5, math.Inf(1)), NormalCDF(-1.5), 0},
		// W. N. Thurman and M. E. Fisher (1988), doi:10.2307/1242148: does the egg precede the chicken?
		{"F, ChickEgg", FTail(5.40498, 3, 44), 0.0029664, 1e-4},
		{"F, ChickEgg reversed", FTail(0.59162, 3, 44), 0.62379, 1e-4},
		{"F = t²", FTail(9, 1, 12), 2 * StudentTail(3, 12), 1e-13},
		{"beta, power", Beta(1, 7, 0.3), 1 - math.Pow(0.7, 7), 1e-14},
		{"beta, arcsine", Beta(0.5, 0.5, 0.2), 2 / math.Pi * math.Asin(math.Sqrt(0.2)), 1e-13},
		{"gamma, shape 3", GammaQ(3, 5), math.Exp(-5) * (1 + 5 + 12.5), 1e-14},
		{"gamma, shape 1/2", GammaP(0.5, 2.25), math.Erf(1.5), 1e-13},
		{"gamma, small", GammaP(4, 1e-3), 1e-12 / 24 * (1 - 4e-3/5 + 4e-6/12), 1e-9},
		{"gamma, large", GammaP(1e6, 1e6), 0.50013298, 1e-6},
	} {
		if !(relative(test.got, test.want) <= test.tolerance) {
			t.Errorf("%s: got %v, want %v", test.name, test.got, test.want)
		}
	}
}

// TestSymmetries checks what holds exactly in mathematics, for both sides of every branch.
func TestSymmetries(t *testing.T) {
	for _, x := range arguments(0, 1) {
		for _, a := range []float64{0.2, 1, 3.7, 55, 1234.5} {
			for _, b := range []float64{0.4, 2, 900} {
				if got := Beta(a, b, x) + Beta(b, a, 1-x); 1-(1-x) == x && math.Abs(got-1) > 1e-11 {
					t.Fatalf("Beta(%v, %v, %v) and its mirror add to %v", a, b, x, got)
				}
			}
			if got := GammaP(a, 2*a*x) + GammaQ(a, 2*a*x); math.Abs(got-1) > 1e-14 {
				t.Fatalf("GammaP + GammaQ at %v, %v = %v", a, 2*a*x, got)
			}
		}
	}
	for _, p := range arguments(0, 1) {
		for _, a := range []float64{0.5, 3, 250} {
			if got := Beta(a, 4, BetaQuantile(a, 4, p)); relative(got, p) > 1e-11 {
				t.Fatalf("Beta(%v, 4, BetaQuantile(%v)) = %v", a, p, got)
			}
		}
	}
	for n := range 60 {
		for k := range n + 1 {
			want, _ := new(big.Float).SetInt(new(big.Int).Binomial(int64(n), int64(k))).Float64()
			if got := Exp(LogChoose(n, k)); relative(got, want) > 1e-12 {
				t.Errorf("LogChoose(%d, %d): got %v, want %v", n, k, got, want)
			}
		}
	}
}

func TestHypergeometricMassSumsToOne(t *testing.T) {
	for _, test := range []struct{ marked, others, n float64 }{
		{4, 4, 4}, {300, 700, 500}, {1e5, 3e5, 2000}, {3, 1e12, 5e11},
	} {
		sum := 0.0
		for x := range int(test.marked) + 1 {
			sum += HypergeometricMass(float64(x), test.marked, test.others, test.n)
		}
		if math.Abs(sum-1) > 1e-12 {
			t.Errorf("%v: the masses sum to %v", test, sum)
		}
	}
}

var extremes = []float64{
	0, math.Copysign(0, -1), 1, -1, 2, 0.5, 1e-300, 5e-324, -5e-324, 1e300, -1e300, math.MaxFloat64, 1e9, 1e17,
	math.Inf(1), math.Inf(-1), math.NaN(), 1 - 1.0/(1<<53), 1 + 1.0/(1<<52), 0.1,
}

// TestExtremes calls everything with everything: no panic, no hang, and no probability outside [0, 1].
func TestExtremes(t *testing.T) {
	for _, a := range extremes {
		checkOne(t, a)
		for _, b := range extremes {
			for _, c := range extremes {
				checkThree(t, a, b, c)
			}
		}
	}
}

func FuzzExtremes(f *testing.F) {
	f.Add(1.0, 2.0, 0.5)
	f.Add(math.NaN(), math.Inf(1), -1.0)
	f.Fuzz(func(t *testing.T, a, b, c float64) {
		checkOne(t, a)
		checkThree(t, a, b, c)
	})
}

func checkOne(t *testing.T, x float64) {
	t.Helper()
	_, _, _, _, _ = Log(x), Exp(x), Log1p(x), Expm1(x), LogGamma(x)
	if p := NormalCDF(x); math.IsNaN(p) != math.IsNaN(x) || p < 0 || p > 1 {
		t.Errorf("NormalCDF(%v) = %v", x, p)
	}
	if q := NormalQuantile(x); math.IsNaN(q) == (x >= 0 && x <= 1) {
		t.Errorf("NormalQuantile(%v) = %v", x, q)
	}
}

func checkThree(t *testing.T, a, b, c float64) {
	t.Helper()
	for name, p := range map[string]float64{
		"GammaP": GammaP(a, b), "GammaQ": GammaQ(a, b), "Beta": Beta(a, b, c), "BinomialMass": BinomialMass(a, b, c),
		"HypergeometricMass": HypergeometricMass(a, b, c, a), "ChiSquareTail": ChiSquareTail(a, b),
		"StudentTail": StudentTail(a, b), "FTail": FTail(a, b, c),
	} {
		if p < 0 || p > 1.000001 {
			t.Errorf("%s(%v, %v, %v) = %v", name, a, b, c, p)
		}
	}
}

func BenchmarkLog(b *testing.B) {
	x := 0.1
	for b.Loop() {
		x = Log(x) + 3
	}
}

func BenchmarkNormalCDF(b *testing.B) {
	x := 0.1
	for b.Loop() {
		x = NormalCDF(-x)
	}
}

func BenchmarkHypergeometricMass(b *testing.B) {
	for b.Loop() {
		HypergeometricMass(30, 100, 900, 300)
	}
}

func BenchmarkBetaQuantile(b *testing.B) {
	for b.Loop() {
		BetaQuantile(30, 71, 0.025)
	}
}
