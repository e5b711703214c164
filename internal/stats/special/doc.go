// Package special holds the special functions that statistics needs, computed to the same bits on every port.
//
// The functions of package math may differ in the last bit between ports, because some ports have assembly
// for them and others fuse x*y + z into one rounding. A report that must be byte-identical everywhere can't
// rest on them. Here every product that is added to something stands in float64(…), which the language
// defines to round, and nothing of package math is used but Sqrt, Floor, Abs, Frexp, Ldexp, and the bits of
// a float64, which are exact. Each comment says how accurate a function is.
//
// No function panics. Arguments outside a function's domain, and NaN, give NaN.
package special
