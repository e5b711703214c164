package learn

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/tracewhy/tracewhy/internal/stats"
)

// Matrix is a table of numbers with names. Each of its rows is a thing, such as a trace, and each of its
// columns a feature of things.
type Matrix struct {
	Rows    []string // the name of each row, such as a trace id; unique names make results independent of order
	Columns []string // the name of each column
	Values  []float64
}

// NewMatrix returns a Matrix of zeros.
func NewMatrix(rows, columns []string) *Matrix {
	return &Matrix{Rows: rows, Columns: columns, Values: make([]float64, len(rows)*len(columns))}
}

// Row returns row i of the matrix: the matrix changes with it.
func (m *Matrix) Row(i int) []float64 {
	d := len(m.Columns)
	return m.Values[i*d : (i+1)*d : (i+1)*d]
}

// Column returns a copy of column j.
func (m *Matrix) Column(j int) []float64 {
	out := make([]float64, len(m.Rows))
	for i := range out {
		out[i] = m.Row(i)[j]
	}
	return out
}

// RobustScale returns a copy whose columns have median 0, and 1 for their standard deviation where they
// are normal: the unit is 1.4826 times the median absolute deviation, which a few outliers do not move.
// Where more than half of the values are equal, that is 0, and the unit is 1.2533 times the mean absolute
// deviation. A column of equal values becomes zeros, and so do values that are NaN.
//
// A column of presence, 0 or 1, that few rows have comes out with large values: scale such columns, or
// leave them, by what they mean.
func (m *Matrix) RobustScale() *Matrix {
	out := NewMatrix(m.Rows, m.Columns)
	for j := range m.Columns {
		s := stats.NewSample(m.Column(j))
		middle := s.Median()
		unit := 1.4826 * s.MAD()
		if unit == 0 {
			var off []float64
			for _, x := range s.Values() {
				off = append(off, math.Abs(x-middle))
			}
			unit = 1.2533 * stats.Mean(off)
		}
		for i := range m.Rows {
			if x := m.Row(i)[j]; unit > 0 && !math.IsInf(unit, 0) && !math.IsNaN(x) {
				out.Row(i)[j] = (x - middle) / unit
			}
		}
	}
	return out
}

// WriteCSV writes the matrix as comma-separated values (RFC 4180): a line of column names, of which the
// first is "row", and a line for each row. Numbers are written with as many digits as they need to be read
// back, NaN as an empty cell.
//
// Names come from traces, and spreadsheets run a cell that begins with =, +, -, @, a tab or a carriage
// return as a formula. Such a name gets an apostrophe in front, which they hide.
func (m *Matrix) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	line := make([]string, 1+len(m.Columns))
	line[0] = "row"
	for j, name := range m.Columns {
		line[j+1] = cell(name)
	}
	if err := c.Write(line); err != nil {
		return err
	}
	for i, name := range m.Rows {
		line[0] = cell(name)
		for j, x := range m.Row(i) {
			line[j+1] = ""
			if !math.IsNaN(x) {
				line[j+1] = strconv.FormatFloat(x, 'g', -1, 64)
			}
		}
		if err := c.Write(line); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// cell makes text safe to open in a spreadsheet.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n", rune(s[0])) || strings.HasPrefix(s, "＝") || strings.HasPrefix(s, "＋") || strings.HasPrefix(s, "－") || strings.HasPrefix(s, "＠") {
		return "'" + s
	}
	return s
}

// check says what is wrong with the shape of a matrix.
func (m *Matrix) check() error {
	if len(m.Values) != len(m.Rows)*len(m.Columns) {
		return fmt.Errorf("learn: a matrix of %d rows and %d columns with %d values", len(m.Rows), len(m.Columns), len(m.Values))
	}
	return nil
}

// number is x, or 0 for a NaN.
func number(x float64) float64 {
	if math.IsNaN(x) {
		return 0
	}
	return x
}

// distance2 returns the squared Euclidean distance.
func distance2(a, b []float64) float64 {
	d := 0.0
	for j, x := range a {
		e := number(x) - number(b[j])
		d += float64(e * e)
	}
	return d
}
