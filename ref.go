package tracewhy

// An AttrRef refers to an attribute in a Builder's dictionary, until that Builder builds its Set.
// The zero AttrRef refers to none.
type AttrRef struct{ key, pair uint32 } // the pair's number plus one

// Ref enters an attribute of spans into the dictionary, for [Builder.AddRefs]. A reader that meets the
// same encoded attribute again and again can remember its reference, and then needs neither decode it
// nor have it looked up.
//
// It is false for an attribute that has to be given each time, because something about it counts each
// time: it has no key, KeepAttribute leaves it out, or it is changed on its way into the Set.
func (b *Builder) Ref(kv KeyValue) (AttrRef, bool) {
	b.begin()
	if b.err != nil || !b.hasRoom(&SpanData{}, 1) {
		return AttrRef{}, false
	}
	b.inBlock, b.blockCodes = true, nil
	key, pair, ok := b.enter(&kv, noPlace, filtered)
	b.inBlock = false
	if !ok || b.blockCodes != nil {
		return AttrRef{}, false
	}
	return AttrRef{key, pair + 1}, true
}
