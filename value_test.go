package tracewhy

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestValueAccessors(t *testing.T) {
	raw := []byte("ab")
	v := BytesOf(raw)
	raw[0] = 'x'
	if string(v.Bytes()) != "ab" {
		t.Error("a bytes value shares the caller's slice")
	}
	elems := []KeyValue{Int("a", 1)}
	m := MapOf(elems...)
	elems[0].Key = "changed"
	if m.Elems()[0].Key != "a" {
		t.Error("a map value shares the caller's slice")
	}
	for _, v := range []Value{{}, StringOf("s"), BoolOf(true), IntOf(3), FloatOf(2.5), BytesOf(raw), ArrayOf(IntOf(1)), m} {
		k := v.Kind()
		if (v.Str() != "") != (k == StringValue) || v.Bool() != (k == BoolValue) || (v.Int() != 0) != (k == IntValue) ||
			(v.Float() != 0) != (k == FloatValue) || (v.Bytes() != nil) != (k == BytesValue) || (v.Elems() != nil) != (k == ArrayValue || k == MapValue) {
			t.Errorf("value %v of kind %d reads as another kind", v, k)
		}
	}
}

func TestValueText(t *testing.T) {
	tests := []struct {
		v    Value
		want string
	}{
		{Value{}, ""}, {StringOf("a b"), "a b"}, {BoolOf(true), "true"}, {BoolOf(false), "false"},
		{IntOf(math.MinInt64), "-9223372036854775808"}, {FloatOf(0.5), "0.5"}, {FloatOf(500), "500"}, {FloatOf(1e21), "1e+21"},
		{FloatOf(math.NaN()), "NaN"}, {FloatOf(math.Inf(-1)), "-Inf"}, {BytesOf([]byte{0, 255}), "AP8="},
		{ArrayOf(), "[]"}, {ArrayOf(StringOf("a"), IntOf(1)), "[a, 1]"}, {MapOf(Int("a", 1), KeyValue{"b", ArrayOf(BoolOf(true))}), "{a: 1, b: [true]}"},
	}
	for _, tt := range tests {
		if got := tt.v.String(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	nan := math.NaN()
	tests := []struct {
		v    Value
		want float64 // NaN: none
	}{
		{IntOf(-5), -5}, {FloatOf(2.5), 2.5}, {FloatOf(math.Inf(1)), math.Inf(1)}, {FloatOf(nan), nan}, {BoolOf(true), nan}, {Value{}, nan},
		{StringOf("500"), 500}, {StringOf("-0.5"), -0.5}, {StringOf("+3"), 3}, {StringOf(".5"), 0.5}, {StringOf("1e3"), 1000}, {StringOf("007"), 7},
		{StringOf(""), nan}, {StringOf("-"), nan}, {StringOf("e"), nan}, {StringOf("5ms"), nan}, {StringOf(" 5"), nan}, {StringOf("NaN"), nan},
		{StringOf("Inf"), nan}, {StringOf("+infinity"), nan}, {StringOf("0x10"), nan}, {StringOf("1_000"), nan}, {StringOf("1e999"), nan}, {StringOf("1.2.3"), nan},
		{BytesOf([]byte("5")), nan}, {ArrayOf(IntOf(5)), nan},
	}
	for _, tt := range tests {
		got, ok := tt.v.Number()
		if ok != !math.IsNaN(tt.want) || ok && got != tt.want {
			t.Errorf("Number of %v %q is %v, %v", tt.v.Kind(), tt.v, got, ok)
		}
	}
}

func TestCanonical(t *testing.T) {
	array := ArrayOf(StringOf("1"))
	tests := []struct{ v, want Value }{
		{IntOf(500), IntOf(500)}, {FloatOf(500), IntOf(500)}, {StringOf("500"), IntOf(500)}, {StringOf("-3"), IntOf(-3)}, {StringOf("0"), IntOf(0)},
		{FloatOf(math.Copysign(0, -1)), IntOf(0)}, {FloatOf(2.5), FloatOf(2.5)}, {StringOf("2.5"), FloatOf(2.5)}, {FloatOf(1 << 53), IntOf(1 << 53)},
		{FloatOf(1 << 54), FloatOf(1 << 54)}, {StringOf("9223372036854775807"), IntOf(math.MaxInt64)}, {FloatOf(math.Inf(1)), FloatOf(math.Inf(1))},
		{StringOf("true"), BoolOf(true)}, {StringOf("false"), BoolOf(false)}, {BoolOf(true), BoolOf(true)},
		// Spelled otherwise than printed, so it may be something else than a number.
		{StringOf("007"), StringOf("007")}, {StringOf("1.10"), StringOf("1.10")}, {StringOf("500.0"), StringOf("500.0")}, {StringOf("+5"), StringOf("+5")},
		{StringOf("-0"), StringOf("-0")}, {StringOf("1e3"), StringOf("1e3")}, {StringOf("1.2.3"), StringOf("1.2.3")}, {StringOf("True"), StringOf("True")},
		{StringOf("9223372036854775808"), StringOf("9223372036854775808")}, {StringOf(""), StringOf("")}, {Value{}, Value{}},
		{BytesOf([]byte("5")), BytesOf([]byte("5"))}, {array, array},
	}
	for _, tt := range tests {
		if got := tt.v.Canonical(); !got.Equal(tt.want) {
			t.Errorf("%v %q becomes %v %q", tt.v.Kind(), tt.v, got.Kind(), got)
		} else if again := got.Canonical(); !again.Equal(got) {
			t.Errorf("%q becomes %q, and that %q", tt.v, got, again)
		}
	}
}

// Equality of conditions is that of canonical values, however it is computed.
func TestSameValueIsEqualityOfCanonicalValues(t *testing.T) {
	values := []Value{{}, BoolOf(true), BoolOf(false), IntOf(0), IntOf(500), FloatOf(500), FloatOf(0), FloatOf(math.Copysign(0, -1)), FloatOf(2.5), BytesOf([]byte("500")), ArrayOf(IntOf(500))}
	for _, s := range []string{"", "0", "-0", "00", "500", "500.0", "+500", "0500", "2.5", "2.50", "true", "True", "false", "x"} {
		values = append(values, StringOf(s))
	}
	for _, a := range values {
		for _, b := range values {
			if same, want := sameValue(a, b), a.Canonical().Equal(b.Canonical()); same != want {
				t.Errorf("%v %q and %v %q: same %v, want %v", a.Kind(), a, b.Kind(), b, same, want)
			}
		}
	}
}

func TestValueJSON(t *testing.T) {
	tests := []struct {
		v    Value
		want string
	}{
		{Value{}, "null"}, {StringOf("a\"\n"), `"a\"\n"`}, {BoolOf(true), "true"}, {IntOf(math.MaxInt64), "9223372036854775807"},
		{FloatOf(500), "500.0"}, {FloatOf(0.1), "0.1"}, {FloatOf(1e300), "1e+300"}, {FloatOf(math.Copysign(0, -1)), "-0.0"},
		{ArrayOf(), "[]"}, {ArrayOf(IntOf(1), Value{}, StringOf("x")), `[1,null,"x"]`},
		{MapOf(), "{}"}, {MapOf(Int("b", 1), KeyValue{"a", MapOf(Bool("c", false))}), `{"b":1,"a":{"c":false}}`},
	}
	for _, tt := range tests {
		data, err := json.Marshal(tt.v)
		if err != nil || string(data) != tt.want {
			t.Errorf("%v is written as %s, %v; want %s", tt.v, data, err, tt.want)
		}
		var back Value
		if err := json.Unmarshal(data, &back); err != nil || !back.Equal(tt.v) {
			t.Errorf("%s is read as %v %v, %v", data, back.Kind(), back, err)
		}
	}
	lossy := []struct {
		v    Value
		want string
	}{
		{FloatOf(math.NaN()), "null"}, {FloatOf(math.Inf(-1)), "null"}, {BytesOf([]byte{0, 255}), `"AP8="`},
	}
	for _, tt := range lossy {
		if data, err := json.Marshal(tt.v); err != nil || string(data) != tt.want {
			t.Errorf("%v is written as %s, %v; want %s", tt.v, data, err, tt.want)
		}
	}
	var v Value
	if err := json.Unmarshal([]byte("18446744073709551615"), &v); err != nil || v.Kind() != FloatValue {
		t.Errorf("an integer of 65 bits is %v %v, %v", v.Kind(), v, err)
	}
	deep := strings.Repeat("[", MaxValueDepth+1) + strings.Repeat("]", MaxValueDepth+1)
	if err := json.Unmarshal([]byte(deep), &v); err == nil {
		t.Error("a value of any depth is read")
	}
	if err := json.Unmarshal([]byte(deep[1:len(deep)-1]), &v); err != nil {
		t.Errorf("a value of %d levels: %v", MaxValueDepth, err)
	}
	condition := Condition{Key: "k", Op: OpAtLeast, Value: FloatOf(2)}
	data, err := json.Marshal(condition)
	if want := `{"key":"k","op":"\u003e=","value":2.0}`; err != nil || string(data) != want {
		t.Errorf("a condition is written as %s, %v; want %s", data, err, want)
	}
	var back Condition
	if err := json.Unmarshal(data, &back); err != nil || back.Key != "k" || back.Op != OpAtLeast || !back.Value.Equal(condition.Value) {
		t.Errorf("and read as %v, %v", back, err)
	}
}

// Whatever can be written is read back as the same, but for what JSON has no type for.
func TestValueJSONRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	g := newGen(rng.IntN)
	for range 2000 {
		v := withoutLoss(g.value(0))
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var back Value
		if err := json.Unmarshal(data, &back); err != nil || !back.Equal(v) {
			t.Fatalf("%v was read back from %s as %v, %v", v, data, back, err)
		}
	}
}

func withoutLoss(v Value) Value {
	switch v.kind {
	case BytesValue:
		return Value{}
	case FloatValue:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			return Value{}
		}
	case StringValue:
		s, _ := repaired(v.str)
		return StringOf(s)
	case ArrayValue, MapValue:
		elems := make([]KeyValue, len(v.elems))
		for i, e := range v.elems {
			key, _ := repaired(e.Key)
			elems[i] = KeyValue{key, withoutLoss(e.Value)}
		}
		v.elems = elems
	}
	return v
}
