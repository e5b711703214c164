package depgraph

import "testing"

func TestHostOf(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "API.Vendor.com.": "api.vendor.com", "api.vendor.com:443": "api.vendor.com", "[2001:db8::1]:443": "2001:db8::1",
		"[::1]": "::1", "::ffff:10.0.0.1": "10.0.0.1", "10.0.0.1:80": "10.0.0.1", " x ": "x", "a:b": "a:b", ":80": "",
	} {
		if got := hostOf(in); got != want {
			t.Errorf("hostOf(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestEstate(t *testing.T) {
	e := &estate{own: []string{"bank.com"}, learned: map[string]bool{"prod.cloud.example": true}}
	for host, want := range map[string]bool{
		"bank.com": true, "api.bank.com": true, "notbank.com": false, "10.2.3.4": true, "100.64.1.1": true, "8.8.8.8": false,
		"fd00::1": true, "fe80::1": true, "2600::1": false, "ledger": true, "ledger.default.svc": true, "db.corp.example": true,
		"who.int": false, "a.int.example": true, "internal.vendor.com": false, "x.prod.cloud.example": true, "x.y.prod.cloud.example": false,
		"printer.home.arpa": true, "api.vendor.com": false,
	} {
		if got, why := e.of(host); got != want || why == "" {
			t.Errorf("%s: inside %v (%s), want %v", host, got, why, want)
		}
	}
}

func TestLike(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"a", "a", true}, {"a", "ab", false}, {"a*", "ab", true}, {"*b", "ab", true}, {"*.b.com", "x.b.com", true}, {"*.b.com", "b.com", false},
		{"a*c*e", "abcde", true}, {"a*c*e", "abcd", false}, {"*", "", true}, {"a*a", "a", false}, {"*aab", "aaab", true}, {"**", "x", true},
	} {
		if got := like(c.pattern, c.text); got != c.want {
			t.Errorf("like(%q, %q) = %v", c.pattern, c.text, got)
		}
	}
}

// A proportion of traces is that of independent observations, and one of the spans of few traces is not.
func TestRatio(t *testing.T) {
	var one, many ratio
	for i := range 100 {
		x := 0.0
		if i < 20 {
			x = 1
		}
		one.add(1, x, 1)
		many.add(1, 10*x, 10)
	}
	if n := one.size(); n < 99.9 || n > 100.1 {
		t.Errorf("size %v of 100 traces", n)
	}
	if n := many.size(); n < 99.9 || n > 100.1 {
		t.Errorf("size %v of 100 traces that say everything ten times", n)
	}
	// Wilson's interval for 20 of 100.
	if e := many.proportion(); e.Value != 0.2 || e.Low < 0.1333 || e.Low > 0.1335 || e.High < 0.2887 || e.High > 0.2890 {
		t.Errorf("proportion %v", e)
	}
}

// Quantiles need as many traces as their intervals, and those among timeouts are not known.
func TestQuantiles(t *testing.T) {
	var obs []observation
	for i := range 400 {
		obs = append(obs, observation{int32(i), i >= 390, float64((i*37)%400 + 1), 1})
	}
	for _, c := range []struct {
		n     int
		p     float64
		known bool
	}{{5, 0.5, false}, {6, 0.5, true}, {71, 0.95, false}, {72, 0.95, true}, {367, 0.99, false}, {368, 0.99, true}} {
		if e := quantiles(obs[:c.n], c.p)[0]; e.IsKnown() != c.known {
			t.Errorf("the %v-quantile of %d traces: %v", c.p, c.n, e)
		}
	}
	if e := quantiles(obs, 0.99)[0]; e.IsKnown() || !(e.Low > 0) {
		t.Errorf("a quantile among timeouts: %v", e)
	}
	if e := quantiles(obs[:390], 0.5)[0]; e.Value < 190 || e.Value > 210 || e.Low >= e.Value || e.High <= e.Value {
		t.Errorf("median %v", e)
	}
}
