package timeline

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	testHour = float64(time.Hour)
	testDay  = 24 * testHour
)

func TestLikelyRate(t *testing.T) {
	for _, c := range []struct {
		name      string
		n         int
		time      float64
		low, high float64 // changes a day
	}{
		{"nothing is known", 0, 0, 1, 1},
		{"as usual", 10, 10 * testDay, 0.97, 1},
		{"many, for long", 1000, 100 * testDay, 9.9, 10.1},
		{"none, for long", 0, 1000 * testDay, 0.0005, 0.002},
		{"many, at once", 5, testHour, 5, 120},
	} {
		if got := likelyRate(c.n, c.time, usualRate) * testDay; got < c.low || got > c.high {
			t.Errorf("%s: %v changes a day, want %v to %v", c.name, got, c.low, c.high)
		}
	}
}

// The most probable rate is where the derivative of the logarithm of the probability is 0, and more changes in the same
// time never say that they are rarer.
func TestLikelyRateIsTheMostProbable(t *testing.T) {
	logProbability := func(rate float64, n int, time float64) float64 {
		x := math.Log(rate / usualRate)
		return float64(n)*math.Log(rate) - time*rate - x*x/(2*spreadOfRates*spreadOfRates)
	}
	for _, time := range []float64{0.1 * testHour, testHour, testDay, 300 * testDay} {
		last := 0.0
		for n := range 50 {
			rate := likelyRate(n, time, usualRate)
			if rate < last {
				t.Fatalf("%d changes in %v hours: %v, less than of one fewer", n, time/testHour, rate)
			}
			last = rate
			best := logProbability(rate, n, time)
			for _, other := range []float64{0.99 * rate, 1.01 * rate} {
				if logProbability(other, n, time) > best {
					t.Errorf("%d changes in %v hours: %v is more probable than %v", n, time/testHour, other, rate)
				}
			}
		}
	}
}

func TestChangeRates(t *testing.T) {
	hours := func(h float64) int64 { return int64(h * testHour) }
	item := func(at float64, service, kind string) candidate {
		return candidate{at: hours(at), change: Change{Service: service, Kind: kind}}
	}
	one := item(1, "ledger", "config")
	alone := newChangeRates([]candidate{one}, 0, hours(10), 10)
	many := []candidate{one}
	for i := range 40 {
		many = append(many, item(float64(i)/4, "ledger", "config"))
	}
	others := []candidate{one}
	for i := range 40 {
		others = append(others, item(float64(i)/4, "ledger", "scaling"))
	}
	of := func(items []candidate, things int) float64 {
		r := newChangeRates(items, 0, hours(10), things)
		return r.of(one.change, one.at)
	}
	if got := alone.of(one.change, one.at); got > usualRate {
		t.Errorf("one change in ten hours of ten things: %v a day, want no more than is usual", got*testDay)
	}
	if of(many, 10) <= of(others, 10) || of(others, 10) <= of([]candidate{one}, 10) {
		t.Errorf("changes a day: %v of what is changed like this all day, %v where it is in another way, %v where it is not: want them to fall",
			of(many, 10)*testDay, of(others, 10)*testDay, of([]candidate{one}, 10)*testDay)
	}
	if of(others, 1000) >= of(others, 10) {
		t.Error("the same changes of more things are not rarer for each")
	}
	// Times that are wrong are of no weight.
	wild := append([]candidate{one}, item(-1e6, "mail", "config"), item(2e6, "mail", "config"))
	if got, want := of(wild, 10), of([]candidate{one}, 10); got != want {
		t.Errorf("%v with changes of other years, want %v", got, want)
	}
	if got := of(nil, 0); math.IsNaN(got) || got < leastRate {
		t.Errorf("%v without any change", got)
	}
}

// A delay is a distribution: its parts add up to 1, and none is negative.
func TestDelays(t *testing.T) {
	for name, d := range map[string]*delay{"usual": &usualDelay, "expiry": &expiryDelay} {
		at, sum, last := int64(1e15), 0.0, int64(0)
		for _, after := range []time.Duration{0, time.Second, time.Minute, time.Hour, 5 * time.Hour, 24 * time.Hour, 1000 * time.Hour} {
			part := d.between(at, at+last, at+int64(after))
			if last > 0 && after > 0 {
				part = d.within(float64(after)) - d.within(float64(last))
			}
			if part < 0 {
				t.Errorf("%s: %v up to %v", name, part, after)
			}
			if last = int64(after); after == 0 {
				part = d.atOnce
			}
			sum += part
			if after == time.Second {
				sum -= d.atOnce // counted at 0
			}
		}
		if math.Abs(sum-1) > 1e-6 {
			t.Errorf("%s: parts add up to %v", name, sum)
		}
		if got := d.between(at, at-100, at-1); got != 0 {
			t.Errorf("%s: it acts before it is made with a probability of %v", name, got)
		}
	}
	hour := float64(time.Hour)
	if x, y := expiryDelay.within(5*hour)-expiryDelay.within(hour), usualDelay.within(5*hour)-usualDelay.within(hour); x < 5*y {
		t.Errorf("from one to five hours: %v of a cache that answers less, and %v of others", x, y)
	}
}

func TestSpoken(t *testing.T) {
	for _, c := range []struct {
		service, description string
		want                 []mechanism
	}{
		{"party", "job that renews the cache moved to another schedule", []mechanism{mechanismCache}},
		{"party", "TTL of profiles from 3600 to 60", []mechanism{mechanismCache}},
		{"party", "raised cacheSize", []mechanism{mechanismCache}},
		{"party", "time to live", nil},
		{"login-cache", "login-cache restarted", nil}, // its name says nothing
		{"users-db", "re-index of USERS: ANALYZE afterwards", []mechanism{mechanismStatements}},
		{"users-db", "new analyzer of texts", nil},
		{"web", "read_timeout=2s", []mechanism{mechanismRetries}},
		{"web", "circuit breaker off", []mechanism{mechanismRetries}},
		{"web", "", nil},
		{"web", "Zwischenspeicher geleert", nil}, // another language is no evidence
		{"web", "\xff\xfe\x00 <script>alert(1)</script> " + strings.Repeat("ä", 1e5), nil},
		{"web", strings.Repeat("log ", 1e5) + "cache", nil}, // only so many words are read
	} {
		s := newSpoken(Change{Service: c.service, Description: c.description})
		var got []mechanism
		for m, word := range s.about {
			if word != "" {
				got = append(got, mechanism(m))
			}
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%.60q: %s", c.description, d)
		}
		if len(s.words) > mostWords || !slices.IsSorted(s.words) {
			t.Errorf("%.60q: %d words", c.description, len(s.words))
		}
	}
}

func TestVocabulary(t *testing.T) {
	item := func(service, description string) candidate {
		return candidate{change: Change{Service: service, ID: description, Description: description}}
	}
	rare := []candidate{item("party", "cache flushed"), item("a", "log level"), item("b", "scaled out"), item("c", "rotated credentials")}
	common := slices.Clone(rare)
	for range 30 {
		common = append(common, item("d", "cache size"))
	}
	of := func(items []candidate, m mechanism, operation string) (float64, string) {
		return newVocabulary(items).factor(&items[0].spoken, m, operation)
	}
	once, word := of(rare, mechanismCache, "")
	if once < 2 || once > spokenOf/(otherwise*asManyTexts/(asManyTexts+float64(len(rare)))) || word != "cache" {
		t.Errorf("factor %v for %q, want one that is moderate", once, word)
	}
	if often, _ := of(common, mechanismCache, ""); often >= 1.01 || often < 1 {
		t.Errorf("factor %v where most changes speak of caches, want 1", often)
	}
	if got, word := of(rare, mechanismStatements, "SELECT users"); got != 1 || word != "" {
		t.Errorf("factor %v for %q of what it does not speak of", got, word)
	}
	named := []candidate{item("users-db", "statistics of accounts dropped"), item("a", "log level")}
	if got, word := of(named, mechanismUnknown, "SELECT accounts"); got <= 1 || word != "accounts" {
		t.Errorf("factor %v for %q of the operation it names", got, word)
	}
	silent := []candidate{item("party", ""), item("a", "cache flushed")}
	if got, _ := of(silent, mechanismCache, ""); got != 1 {
		t.Errorf("factor %v without a description", got)
	}
}
