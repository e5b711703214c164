package sample

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// A stratumKey says which traces a stratum is of. Its service and operation are as they were recorded:
// the templates of a Set depend on what else it holds.
type stratumKey struct {
	source, service, operation string
	outcome                    uint8
	bucket                     uint8 // of the duration; 0: not known, or not told apart
	bin                        int64 // from 1; 0: not known, or not told apart
}

// What strata are no longer told apart by at each level of coarseness, after PerStratum has become 1.
const (
	noDurations = iota + 1
	noOperations
	noServices
	noTimes
	coarsest = noTimes
)

func (k stratumKey) atLevel(coarse int) stratumKey {
	if coarse >= noDurations {
		k.bucket = 0
	}
	if coarse >= noOperations {
		k.operation = ""
	}
	if coarse >= noServices {
		k.service = ""
	}
	if coarse >= noTimes {
		k.bin = 0
	}
	return k
}

// bucketOf returns the logarithmic bucket of a duration, two for each power of two.
func bucketOf(d time.Duration) uint8 {
	if d < 0 {
		return 0
	}
	if d < 2 {
		return uint8(1 + d)
	}
	n := bits.Len64(uint64(d)) // at least 2
	half := uint64(d) >> (n - 2) & 1
	return uint8(2*n - 1 + int(half))
}

// minDuration returns the least duration of the key's bucket.
func (k stratumKey) minDuration() time.Duration {
	switch k.bucket {
	case 0:
		return -1
	case 1, 2:
		return time.Duration(k.bucket - 1)
	}
	n, half := (int(k.bucket)+1)/2, (int(k.bucket)+1)%2
	return time.Duration((2 + uint64(half)) << (n - 2))
}

const maxBucket = 2 * 64

// fold returns the name of an operation with what has digits in it replaced, so that identifiers do not
// make strata of their own. Operations that it takes together are sampled together, no more.
func fold(name string) string {
	if !strings.ContainsAny(name, "0123456789") {
		return cutName(name)
	}
	var b strings.Builder
	for i := 0; i < len(name); {
		j, digit := i, false
		for j < len(name) && isWordByte(name[j]) {
			digit = digit || '0' <= name[j] && name[j] <= '9'
			j++
		}
		switch {
		case j == i:
			b.WriteByte(name[i])
			j++
		case digit:
			b.WriteByte('#')
		default:
			b.WriteString(name[i:j])
		}
		i = j
	}
	return cutName(b.String())
}

func isWordByte(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c >= 0x80
}

// maxNameLen bounds the operations of strata: names are as long as a producer likes.
const maxNameLen = 200

func cutName(name string) string {
	if len(name) > maxNameLen {
		name = strings.ToValidUTF8(name[:maxNameLen], "")
	}
	return name
}

// clone returns the key with texts of its own: those of a Set hold on to all of it.
func (k stratumKey) clone() stratumKey {
	k.source, k.service, k.operation = strings.Clone(k.source), strings.Clone(k.service), strings.Clone(k.operation)
	return k
}

// A stratum counts its traces and keeps those with the smallest ranks.
type stratum struct {
	traces, weight, tooLarge uint64
	kept                     []kept // by rank, then id
	// largest are the sizes of the largest traces that were added, in descending order, as many as may be
	// kept. However traces came, those kept never took more than they.
	largest []uint32
	charge  uint64
}

// kept is a trace that is kept, encoded. The data is never changed.
type kept struct {
	rank   uint64
	id     tracewhy.TraceID
	weight uint64
	data   []byte
}

func (k kept) compare(o kept) int {
	return cmp.Or(cmp.Compare(k.rank, o.rank), bytes.Compare(k.id[:], o.id[:]))
}

// less orders what was added under one id, so that which of them is kept does not depend on the order.
func (k kept) less(o kept) bool {
	return cmp.Or(cmp.Compare(k.weight, o.weight), bytes.Compare(k.data, o.data)) < 0
}

// rankOf returns the rank of a trace: a hash of its id, since ids may have been given out in order, or
// chosen by a sampler that looked at their bits.
func rankOf(id tracewhy.TraceID) uint64 {
	const seed = 0x7472616365
	return stats.NewRand(seed, binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:])).Uint64()
}

// The memory of a stratum and of a kept trace, besides names and encoded traces.
const (
	stratumBytes = 256
	keptBytes    = 64
)

// charge returns what a stratum of the key takes without any traces.
func (k stratumKey) charge() uint64 {
	return stratumBytes + uint64(len(k.source)+len(k.service)+len(k.operation))
}

// add adds a trace to those kept, if it is one of the first limit. It copies the data if it keeps it.
func (st *stratum) add(k kept, data []byte, limit int) {
	st.addSize(uint32(len(data)), limit)
	i, found := slices.BinarySearchFunc(st.kept, k, kept.compare)
	k.data = data
	switch {
	case found:
		if k.less(st.kept[i]) {
			k.data = bytes.Clone(data)
			st.kept[i] = k
		}
	case i < limit:
		k.data = bytes.Clone(data)
		if len(st.kept) == limit {
			st.kept = st.kept[:limit-1]
		}
		st.kept = slices.Insert(st.kept, i, k)
	}
}

func (st *stratum) addSize(size uint32, limit int) {
	i, _ := slices.BinarySearchFunc(st.largest, size, func(x, y uint32) int { return cmp.Compare(y, x) })
	if i >= limit {
		return
	}
	if len(st.largest) == limit {
		st.charge -= uint64(st.largest[limit-1]) + keptBytes
		st.largest = st.largest[:limit-1]
	}
	st.largest = slices.Insert(st.largest, i, size)
	st.charge += uint64(size) + keptBytes
}

// merge adds what another stratum holds, and keeps at most limit traces.
func (st *stratum) merge(from *stratum, limit int) {
	st.traces = addSaturated(st.traces, from.traces)
	st.weight = addSaturated(st.weight, from.weight)
	st.tooLarge = addSaturated(st.tooLarge, from.tooLarge)
	all := make([]kept, 0, min(limit, len(st.kept)+len(from.kept)))
	for x, y := st.kept, from.kept; len(all) < limit && len(x)+len(y) > 0; {
		switch c := compareFirst(x, y); {
		case c < 0:
			all, x = append(all, x[0]), x[1:]
		case c > 0:
			all, y = append(all, y[0]), y[1:]
		default:
			k := x[0]
			if y[0].less(k) {
				k = y[0]
			}
			all, x, y = append(all, k), x[1:], y[1:]
		}
	}
	st.kept = all
	for _, size := range from.largest[:min(limit, len(from.largest))] {
		st.addSize(size, limit)
	}
}

// compareFirst compares the first of two lists, at least one of which is not empty; an empty one is last.
func compareFirst(x, y []kept) int {
	switch {
	case len(x) == 0:
		return 1
	case len(y) == 0:
		return -1
	}
	return x[0].compare(y[0])
}

func (st *stratum) clone() *stratum {
	c := *st
	c.kept, c.largest = slices.Clone(st.kept), slices.Clone(st.largest)
	return &c
}
