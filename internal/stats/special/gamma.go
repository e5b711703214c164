package special

import "math"

// halfLogTwoPi is log(2π)/2.
const halfLogTwoPi = 0.918938533204672741780329736405617639861397

// LogGamma returns the logarithm of the gamma function for x > 0; its error is below 1e-14·max(1, |LogGamma(x)|).
// It is +Inf at 0, and NaN for negative x, which no statistic here asks for.
func LogGamma(x float64) float64 {
	switch {
	case math.IsNaN(x) || x < 0:
		return math.NaN()
	case x == 0 || math.IsInf(x, 1):
		return math.Inf(1)
	case x == 1 || x == 2:
		return 0
	}
	product := 1.0
	for x < 15 { // Γ(x) = Γ(x+1)/x, up to where Stirling's series converges
		product *= x
		x++
	}
	return float64((x-0.5)*Log(x)) - x + halfLogTwoPi + stirlingSeries(x) - Log(product)
}

// LogFactorial returns log(n!), with LogGamma's accuracy, or NaN for negative n.
func LogFactorial(n int) float64 {
	if n < 0 {
		return math.NaN()
	}
	return LogGamma(float64(n) + 1)
}

// LogChoose returns the logarithm of the number of ways to choose k of n things: -Inf if k > n, or k < 0,
// and NaN if n < 0. Its error is about 1e-14·LogFactorial(n).
func LogChoose(n, k int) float64 {
	switch {
	case n < 0:
		return math.NaN()
	case k < 0 || k > n:
		return math.Inf(-1)
	case k == 0 || k == n:
		return 0
	}
	return LogFactorial(n) - LogFactorial(k) - LogFactorial(n-k)
}

// GammaP returns the regularised lower incomplete gamma function: the probability that a gamma variable of
// shape a > 0 and scale 1 is at most x. Its relative error is below 1e-12 for a up to 1e6; from about 1e9 on it
// may be NaN.
func GammaP(a, x float64) float64 {
	p, q := incompleteGamma(a, x)
	if q < p {
		return 1 - q
	}
	return p
}

// GammaQ returns 1 - GammaP(a, x), accurate where that is small: the upper tail.
func GammaQ(a, x float64) float64 {
	p, q := incompleteGamma(a, x)
	if p < q {
		return 1 - p
	}
	return q
}

// incompleteGamma returns both tails. The smaller one has full relative accuracy.
// Series and continued fraction: NIST DLMF 8.11.4 and 8.9.2, doi:10.1023/A:1022915830921.
func incompleteGamma(a, x float64) (p, q float64) {
	switch {
	case !(a > 0) || !(x >= 0) || math.IsInf(a, 1):
		return math.NaN(), math.NaN()
	case x == 0:
		return 0, 1
	case math.IsInf(x, 1):
		return 1, 0
	}
	mass := poissonMass(a, x) // xᵃe⁻ˣ/Γ(a+1)
	if x < a+1 {
		sum, term := 1.0, 1.0
		for i := 1; term >= sum*epsilon; i++ {
			if i == maxIterations {
				return math.NaN(), math.NaN()
			}
			term = float64(term * (x / (a + float64(i))))
			sum += term
		}
		p = min(float64(mass*sum), 1)
		return p, 1 - p
	}
	fraction := lentz(func(i int) (numerator, denominator float64) {
		n := float64(i)
		if i == 0 {
			return 1, x + 1 - a
		}
		return -float64(n * (n - a)), x + float64(2*n) + 1 - a
	})
	q = min(float64(mass*a*fraction), 1)
	return 1 - q, q
}

const (
	// epsilon ends a series or a continued fraction: half a unit in the last place of 1.
	epsilon = 1.0 / (1 << 53)
	// maxIterations bounds a series or a continued fraction. They need about √a terms for a parameter a;
	// where that is too many, from about a = 1e9 on, the result is NaN.
	maxIterations = 200_000
)

// lentz evaluates the continued fraction a0/(b0 + a1/(b1 + a2/(b2 + …))) by the modified Lentz method:
// I. J. Thompson and A. R. Barnett, J. Comput. Phys. 64 (1986), doi:10.1016/0021-9991(86)90046-X.
func lentz(term func(i int) (a, b float64)) float64 {
	const tiny = 1e-300
	a, b := term(0)
	if b == 0 {
		b = tiny
	}
	f, c, d := a/b, a/tiny, 1/b
	for i := 1; i < maxIterations; i++ {
		a, b = term(i)
		d = b + float64(a*d)
		if d == 0 {
			d = tiny
		}
		d = 1 / d
		c = b + a/c
		if c == 0 {
			c = tiny
		}
		step := float64(c * d)
		f *= step
		if math.Abs(step-1) <= 2*epsilon {
			return f
		}
		if math.IsNaN(f) {
			break
		}
	}
	return math.NaN()
}

// The probability masses below are C. Loader's, who writes a mass as a product of factors that are each
// near 1, instead of as the difference of large logarithms: "Fast and Accurate Computation of Binomial
// Probabilities" (2000). They keep 13 digits for counts where LogChoose keeps 8.

// BinomialMass returns the probability of k successes in n trials of probability p, where k and n need not
// be integers: Γ(n+1)/(Γ(k+1)Γ(n-k+1))·pᵏ(1-p)ⁿ⁻ᵏ.
func BinomialMass(k, n, p float64) float64 {
	return binomialMass(k, n-k, p, 1-p)
}

// binomialMass returns the probability of k successes and m failures, where p and q = 1-p are their
// probabilities: each of both is given, so that a small one keeps its digits.
func binomialMass(k, m, p, q float64) float64 {
	n := k + m
	switch {
	case !(n >= 0) || !(p >= 0 && p <= 1) || math.IsInf(n, 1):
		return math.NaN()
	case k < 0 || m < 0:
		return 0
	case p == 0:
		return indicator(k == 0)
	case q == 0:
		return indicator(m == 0)
	case k == 0:
		return Exp(n * logOneMinus(p, q))
	case m == 0:
		return Exp(n * logOneMinus(q, p))
	}
	exponent := stirlingError(n) - stirlingError(k) - stirlingError(m) - deviance(k, float64(n*p)) - deviance(m, float64(n*q))
	return float64(Exp(exponent) * (math.Sqrt(n/max(k, m)) / math.Sqrt(min(k, m))) * invSqrtTwoPi)
}

// HypergeometricMass returns the probability of x marked things among n drawn without replacement from
// marked+others things.
func HypergeometricMass(x, marked, others, n float64) float64 {
	total := marked + others
	switch {
	case !(marked >= 0 && others >= 0 && n >= 0 && n <= total) || math.IsInf(total, 1) || math.IsNaN(x):
		return math.NaN()
	case x < 0 || x > marked || n-x < 0 || n-x > others:
		return 0
	case n == 0 || n == total:
		return 1
	}
	p, q := n/total, (total-n)/total
	drawn := float64(binomialMass(x, marked-x, p, q) * binomialMass(n-x, others-(n-x), p, q))
	return drawn / binomialMass(n, total-n, p, q)
}

// poissonMass returns xᵃe⁻ˣ/Γ(a+1) for a > 0 and x > 0.
func poissonMass(a, x float64) float64 {
	if a < 1 { // Γ(a+1) is near 1, and Stirling's formula is not at its best
		return Exp(float64(a*Log(x)) - x - LogGamma(a+1))
	}
	return Exp(-stirlingError(a)-deviance(a, x)) * invSqrtTwoPi / math.Sqrt(a)
}

const invSqrtTwoPi = 0.398942280401432677939946059934381868475858631164934657665925

// logOneMinus returns log(q), where q = 1-p was perhaps rounded.
func logOneMinus(p, q float64) float64 {
	if p < 0.5 {
		return Log1p(-p)
	}
	return Log(q)
}

func indicator(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// deviance returns x·log(x/m) + m - x for x > 0 and m > 0, accurate where x is near m.
func deviance(x, m float64) float64 {
	d := x - m
	if x/m == 0 {
		return m // x·log(x) vanishes with x, though the logarithm doesn't
	}
	if math.Abs(d) >= 0.1*(x+m) {
		return float64(x*Log(x/m)) + m - x
	}
	v := d / (x + m)
	sum := float64(d * v)
	term := float64(2 * x * v)
	v *= v
	for j := 1; j < 1000; j++ {
		term *= v
		next := sum + term/float64(2*j+1)
		if next == sum {
			break
		}
		sum = next
	}
	return sum
}

// stirlingError returns log(Γ(n+1)) - log(√(2πn)·(n/e)ⁿ), what Stirling's formula misses, for n >= 0.
func stirlingError(n float64) float64 {
	if n > 15 {
		return stirlingSeries(n)
	}
	if twice := 2 * n; twice == math.Floor(twice) {
		return stirlingErrors[int(twice)]
	}
	return LogGamma(n+1) - float64((n+0.5)*Log(n)) + n - halfLogTwoPi
}

// stirlingSeries returns stirlingError's asymptotic series at x >= 15, where its first omitted term is below 1e-17.
func stirlingSeries(x float64) float64 {
	return polynomial(1/(x*x), &stirlingCoeff) / x
}

var stirlingCoeff = [...]float64{
	1.0 / 12, -1.0 / 360, 1.0 / 1260, -1.0 / 1680, 1.0 / 1188, -691.0 / 360360, 1.0 / 156,
}

// stirlingErrors holds stirlingError for n = 0, 0.5, 1, …, 15. The first is that of the limit Γ(1) = 1, whose
// use the callers exclude.
var stirlingErrors = [...]float64{
	0, 0.1534264097200273452913839, 0.0810614667953272582196703, 0.0548141210519176538961387,
	0.0413406959554092940938221, 0.0331628735199362874851105, 0.0276779256849983391487893, 0.0237461636562974959713303,
	0.0207906721037650931115228, 0.0184884505326731852307794, 0.0166446911898211921631949, 0.0151349732219173788735138,
	0.0138761288230707479987457, 0.0128104652429202269242507, 0.0118967099458917700950557, 0.0111045597582069173266308,
	0.0104112652619720964974786, 0.0097994161261588032983904, 0.0092554621827127329177286, 0.0087687001341393854629550,
	0.0083305634333628712564693, 0.0079341145643140205472496, 0.0075736754879518407949720, 0.0072445543013203831795462,
	0.0069428401072095298656642, 0.0066652470327076824423562, 0.0064089941880042070684396, 0.0061717122630394576475346,
	0.0059513701127588477356244, 0.0057462165130101156820261, 0.0055547335519628013710387,
}
