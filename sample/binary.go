package sample

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
)

// magic begins an encoded sample; its last byte is the version of the format.
const magic = "twsample\x01"

// MarshalBinary encodes the sample. Samples that hold the same have the same bytes. Its error is always
// nil.
//
//	sample  = magic perStratum bin maxBytes rule:text level n×stratum
//	stratum = source:text service:text operation:text outcome:byte bucket:byte bin traces weight tooLarge
//	          n×size n×(trace:16 weight length bytes)
func (s *Sample) MarshalBinary() ([]byte, error) { return s.AppendBinary(nil) }

// AppendBinary appends what [Sample.MarshalBinary] returns.
func (s *Sample) AppendBinary(b []byte) ([]byte, error) {
	s.begin()
	b = slices.Grow(b, s.Bytes())
	b = append(b, magic...)
	for _, n := range [...]uint64{uint64(s.cfg.PerStratum), uint64(s.cfg.Bin), uint64(s.cfg.MaxBytes)} {
		b = binary.AppendUvarint(b, n)
	}
	b = appendCounted(b, s.rule)
	b = binary.AppendUvarint(b, uint64(s.level))
	b = binary.AppendUvarint(b, uint64(len(s.strata)))
	for _, key := range s.keys() {
		b = appendCounted(appendCounted(appendCounted(b, key.source), key.service), key.operation)
		b = binary.AppendUvarint(append(b, key.outcome, key.bucket), uint64(key.bin))
		b = s.strata[key].append(b)
	}
	return b, nil
}

func (st *stratum) append(b []byte) []byte {
	for _, n := range [...]uint64{st.traces, st.weight, st.tooLarge, uint64(len(st.largest))} {
		b = binary.AppendUvarint(b, n)
	}
	for _, size := range st.largest {
		b = binary.AppendUvarint(b, uint64(size))
	}
	b = binary.AppendUvarint(b, uint64(len(st.kept)))
	for _, k := range st.kept {
		b = binary.AppendUvarint(append(b, k.id[:]...), k.weight)
		b = append(binary.AppendUvarint(b, uint64(len(k.data))), k.data...)
	}
	return b
}

// UnmarshalBinary makes the sample the one that was encoded, with the Config that it had. It gives
// [ErrFormat] for anything that [Sample.MarshalBinary] cannot have written, and then leaves the sample as
// it was. Whatever the data, it takes memory in proportion to its length.
func (s *Sample) UnmarshalBinary(data []byte) error {
	r := reader{data: string(data)}
	if r.take(uint64(len(magic))) != magic {
		r.fail("not a sample of version 1")
	}
	out := r.config()
	level := r.number()
	if level > uint64(out.maxLevel()) {
		r.fail("no such level")
		level = 0
	}
	out.level = int(level)
	var last stratumKey
	for i := range r.count(minStratum) {
		key := r.key()
		if i > 0 && last.compare(key) >= 0 || key != key.atLevel(out.coarse()) {
			r.fail("strata out of order")
		}
		st := r.stratum(out)
		if r.failed != "" {
			break
		}
		out.strata[key], last = st, key
		out.charge += key.charge() + st.charge
	}
	if out.charge > uint64(out.cfg.MaxBytes) && out.level < out.maxLevel() {
		r.fail("more than the sample may hold")
	}
	if err := r.err(); err != nil {
		return err
	}
	*s = *out
	return nil
}

const (
	minStratum = 11 // bytes
	maxRule    = 1 << 16
)

// config reads the head of a sample and returns an empty one.
func (r *reader) config() *Sample {
	perStratum, bin, maxBytes := r.number(), r.number(), r.number()
	rule := r.counted()
	if perStratum == 0 || perStratum > maxPerStratum || bin == 0 || bin > math.MaxInt64 || maxBytes < minMaxBytes || maxBytes > math.MaxInt {
		r.fail("bad configuration")
	}
	var outcome tracewhy.OutcomeRule
	if len(rule) > maxRule || json.Unmarshal([]byte(rule), &outcome) != nil {
		r.fail("bad outcome rule")
		outcome = tracewhy.OutcomeRule{}
	}
	s := New(Config{PerStratum: int(perStratum), Bin: time.Duration(bin), MaxBytes: int(maxBytes), Outcome: outcome})
	if r.failed == "" && s.rule != rule {
		r.fail("bad outcome rule")
	}
	return s
}

func (r *reader) key() stratumKey {
	k := stratumKey{source: r.counted(), service: r.counted(), operation: r.counted(), outcome: r.byte(), bucket: r.byte()}
	bin := r.number()
	if k.outcome > uint8(tracewhy.OutcomeFailed) || k.bucket > maxBucket || bin > math.MaxInt64 {
		r.fail("bad stratum")
		return stratumKey{}
	}
	k.bin = int64(bin)
	return k.clone()
}

// stratum reads a stratum of an otherwise complete sample.
func (r *reader) stratum(s *Sample) *stratum {
	st := &stratum{traces: r.number(), weight: r.number(), tooLarge: r.number()}
	limit := s.perStratum()
	sizes := r.count(1)
	if sizes > limit {
		r.fail("too many traces")
		return st
	}
	for i := range sizes {
		size := r.number()
		if size > uint64(s.maxTrace()) || i > 0 && size > uint64(st.largest[i-1]) {
			r.fail("bad size")
			return st
		}
		st.largest = append(st.largest, uint32(size))
		st.charge += size + keptBytes
	}
	n := r.count(16 + 2)
	if n > sizes || st.traces == 0 || st.tooLarge > st.traces {
		r.fail("bad totals")
		return st
	}
	held := make([]uint64, 0, n)
	for i := range n {
		var k kept
		copy(k.id[:], r.take(16))
		k.rank, k.weight, k.data = rankOf(k.id), r.number(), []byte(r.counted())
		if k.id.IsZero() || i > 0 && st.kept[i-1].compare(k) >= 0 || k.weight < weightUnit || k.weight > tracewhy.MaxWeight*weightUnit {
			r.fail("bad trace")
		}
		if r.failed != "" {
			return st
		}
		if what := faultOf(k.id, k.data); what != "" {
			r.fail(what)
			return st
		}
		st.kept = append(st.kept, k)
		held = append(held, uint64(len(k.data)))
	}
	slices.Sort(held)
	slices.Reverse(held)
	for i, size := range held {
		if size > uint64(st.largest[i]) {
			r.fail("a trace larger than the largest")
		}
	}
	return st
}
