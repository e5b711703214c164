package special

import "math"

// Log, Exp, and erfc follow FreeBSD's e_log.c, e_exp.c, and s_erf.c, which came with this notice:
//
// ====================================================
// Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
//
// Developed at SunPro, a Sun Microsystems, Inc. business.
// Permission to use, copy, modify, and distribute this
// software is freely granted, provided that this notice
// is preserved.
// ====================================================

// ln 2 in two parts. The low 32 bits of the high part are zero, so that k·ln2Hi is exact for the exponent k
// of any float64.
const (
	ln2Hi = 6.93147180369123816490e-01 // 3fe62e42 fee00000
	ln2Lo = 1.90821492927058770002e-10 // 3dea39ef 35793c76
)

// Log returns the natural logarithm of x, within 1 unit in the last place.
// Log(0) is -Inf; the logarithm of a negative number is NaN.
func Log(x float64) float64 {
	const fraction, half = 1<<52 - 1, 0x3fe << 52
	if bits := math.Float64bits(x); bits>>52-1 < 0x7fe { // positive, finite, and not subnormal
		return logOf(math.Float64frombits(bits&fraction|half), int(bits>>52)-0x3fe)
	}
	switch {
	case math.IsNaN(x) || math.IsInf(x, 1):
		return x
	case x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	}
	return logOf(math.Frexp(x))
}

// logOf returns the logarithm of frac·2^exp, where frac is in [0.5, 1).
func logOf(frac float64, exp int) float64 {
	if frac < math.Sqrt2/2 {
		frac *= 2
		exp--
	}
	k := float64(exp)
	f := frac - 1
	s := f / (2 + f)
	s2 := s * s
	c := &logCoeff
	p := float64(s2*c[6]) + c[5]
	p = float64(s2*p) + c[4]
	p = float64(s2*p) + c[3]
	p = float64(s2*p) + c[2]
	p = float64(s2*p) + c[1]
	p = float64(s2*p) + c[0]
	r := float64(s2 * p)
	half := float64(f * f * 0.5)
	return float64(k*ln2Hi) - ((half - (float64(s*(half+r)) + float64(k*ln2Lo))) - f)
}

// log(1+f) = f - f²/2 + s(f²/2 + s²·P(s²)), where s = f/(2+f).
var logCoeff = [...]float64{
	6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01,
	1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01,
}

// Exp returns e to the power x, within 1 unit in the last place. It is +Inf above 709.78 and 0 below -745.13.
func Exp(x float64) float64 {
	switch {
	case math.IsNaN(x):
		return x
	case x > 7.09782712893383973096e+02:
		return math.Inf(1)
	case x < -7.45133219101941108420e+02:
		return 0
	case math.Abs(x) < 1.0/(1<<28):
		return 1 + x
	}
	k := math.Floor(float64(x*math.Log2E) + 0.5)
	hi := x - float64(k*ln2Hi)
	lo := float64(k * ln2Lo)
	r := hi - lo
	t := r * r
	c := r - float64(t*polynomial(t, &expCoeff))
	return math.Ldexp(1-((lo-float64(r*c)/(2-c))-hi), int(k))
}

// r·(eʳ+1)/(eʳ-1) = 2 + r²·P(r²).
var expCoeff = [...]float64{
	1.66666666666666657415e-01, -2.77777777770155933842e-03, 6.61375632143793436117e-05,
	-1.65339022054652515390e-06, 4.13813679705723846039e-08,
}

// Log1p returns log(1+x) with a relative error below 1e-15, also where x is so small that 1+x loses its digits.
func Log1p(x float64) float64 {
	u := 1 + x
	switch {
	case u == 1, math.IsInf(u, 1):
		return x // for u = 1 the next term, x²/2, is below the last place
	case u <= 0:
		return Log(u)
	}
	return float64(Log(u) * (x / (u - 1))) // W. Kahan's correction for the digits lost in 1+x
}

// Expm1 returns eˣ-1 with a relative error below 2e-15, also where x is so small that eˣ-1 loses its digits.
func Expm1(x float64) float64 {
	switch {
	case math.Abs(x) < 1.0/(1<<52):
		return x
	case math.Abs(x) > 1 || math.IsNaN(x):
		return Exp(x) - 1
	}
	u := Exp(x)
	if u == 1 {
		return x
	}
	return float64((u - 1) * (x / Log(u))) // the inverse of Log1p's correction
}

// polynomial returns c[0] + c[1]·x + c[2]·x² + ….
func polynomial[C *[4]float64 | *[5]float64 | *[6]float64 | *[7]float64 | *[8]float64 | *[9]float64](x float64, c C) float64 {
	s := c[len(c)-1]
	for i := len(c) - 2; i >= 0; i-- {
		s = float64(s*x) + c[i]
	}
	return s
}
