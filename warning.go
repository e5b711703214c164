package tracewhy

import (
	"cmp"
	"slices"
)

// Warning says that something about the data or about an analysis deserves the reader's attention.
// It is never an error: the result stands, with this beside it.
type Warning struct {
	Code    string `json:"code"`     // stable, lower_snake_case: see the Problem constants and each analysis
	Message string `json:"message"`  // one sentence for people
	Count   int    `json:"count"`    // how often; 1 where it does not count anything
	TraceID string `json:"trace_id"` // an example, or ""
}

// The problems that reading and building a Set counts under stable codes. A span with a problem is
// kept and marked unless the code's comment says otherwise.
const (
	ProblemIDMissing          = "id_missing"          // no trace or span id: quarantined
	ProblemIDZero             = "id_zero"             // an id of zeros only: quarantined
	ProblemIDInvalid          = "id_invalid"          // an id that is no identifier: quarantined
	ProblemIDLength           = "id_length"           // a binary id of the wrong length: quarantined
	ProblemIDBase64           = "id_base64"           // an id written in base64, read as such
	ProblemIDShort            = "id_short"            // a short id, padded with zeros on the left
	ProblemDuplicateSpan      = "duplicate_span"      // the same span twice: merged
	ProblemPartialSpan        = "partial_span"        // an earlier report of a span that was later completed: merged
	ProblemConflictingSpan    = "conflicting_span"    // one id, two contents: merged, the winner chosen by content
	ProblemSharedSpanID       = "shared_span_id"      // client and server under one id: the server span got a derived id
	ProblemSelfParent         = "self_parent"         // a span that names itself as its parent: a root
	ProblemCycle              = "cycle"               // parents that form a ring: cut at its earliest span, which is a root
	ProblemOrphan             = "orphan"              // the parent is not in the Set
	ProblemNoRoot             = "no_root"             // a trace of orphans only
	ProblemSeveralRoots       = "several_roots"       // a trace with more than one root
	ProblemSplitSource        = "split_source"        // one trace read from several sources: it belongs to its root's
	ProblemNegativeDuration   = "negative_duration"   // end before start: the duration is unknown
	ProblemTimeMissing        = "time_missing"        // no start or no end: the interval is unknown
	ProblemTimeOutOfRange     = "time_out_of_range"   // beyond the year 2262: the interval is unknown
	ProblemTimeInvalid        = "time_invalid"        // a time that is no number of nanoseconds: quarantined
	ProblemOutsideParent      = "outside_parent"      // starts before or ends after its parent
	ProblemServiceMissing     = "service_missing"     // no service.name: "unknown_service"
	ProblemDuplicateAttribute = "duplicate_attribute" // a key twice on one span: the last value holds
	ProblemEmptyKey           = "empty_attribute_key" // an attribute without a key: dropped
	ProblemAttributeDropped   = "attribute_dropped"   // left out by Builder.KeepAttribute
	ProblemValueTruncated     = "value_truncated"     // cut to Builder.MaxValueLen
	ProblemValueDepth         = "value_depth"         // nested deeper than MaxValueDepth: cut
	ProblemValueInvalid       = "value_invalid"       // a value that is not of the type it says: kept as text, or empty
	ProblemKindUnknown        = "kind_unknown"        // no kind of OpenTelemetry: unspecified
	ProblemStatusUnknown      = "status_unknown"      // no status code of OpenTelemetry: unset
	ProblemInvalidUTF8        = "invalid_utf8"        // repaired, with a hash that keeps different texts apart
	ProblemWeightCapped       = "weight_capped"       // a sampling weight over MaxWeight
	ProblemWeightInvalid      = "weight_invalid"      // a sampling threshold or probability that is none: unknown
	ProblemPathDepth          = "path_depth"          // a call path deeper than MaxPathDepth: folded
	ProblemLegacySchema       = "legacy_schema"       // field names of an older OTLP
	ProblemShape              = "shape"               // a part of the wrong JSON type: left out, its span quarantined
	ProblemTrailingData       = "trailing_data"       // bytes after the last document
	ProblemTruncatedInput     = "truncated_input"     // the input stops in the middle: complete spans are kept
	ProblemSyntax             = "syntax"              // the input cannot be read past this point
	ProblemEmptyInput         = "empty_input"         // an input without any span
	ProblemDuplicateField     = "duplicate_field"     // a field twice in one message: the last holds
	ProblemLimit              = "limit_exceeded"      // more than a reader's limit allows: the rest was not read
	ProblemAttributeInvalid   = "attribute_invalid"   // an attribute that cannot be read: dropped
	ProblemUnknownCompression = "unknown_compression" // compressed in a way that is not read
	ProblemNotTraces          = "not_traces"          // well-formed input that holds no trace data
	ProblemEventTimeMissing   = "event_time_missing"  // an event without a time
	ProblemTooManyAttributes  = "too_many_attributes" // more attributes, events or links than a reader's limit
	ProblemAmbiguousParent    = "ambiguous_parent"    // the parent id is shared: the caller was chosen by service
	ProblemMixedSampling      = "mixed_sampling"      // spans of one trace disagree on its sampling weight
	ProblemUnitSuspect        = "unit_suspect"        // a time of a magnitude that suggests another unit
	ProblemLinkInvalid        = "link_invalid"        // a link without ids: dropped
)

// problemText says in words what a code means; codes without an entry use the message noted with them.
var problemText = map[string]string{
	ProblemIDMissing:          "spans without a trace or span id were left out",
	ProblemIDZero:             "spans with an all-zero id were left out",
	ProblemDuplicateSpan:      "spans reported more than once were counted once",
	ProblemPartialSpan:        "earlier reports of spans that were completed later were merged",
	ProblemConflictingSpan:    "spans with one id and different contents were merged",
	ProblemSharedSpanID:       "client and server spans share an id: the server span got one of its own",
	ProblemSelfParent:         "spans name themselves as parent: taken as roots",
	ProblemCycle:              "parent links form a ring: cut at its earliest span",
	ProblemOrphan:             "spans whose parent is missing",
	ProblemNoRoot:             "traces without a root span",
	ProblemSeveralRoots:       "traces with more than one root span",
	ProblemSplitSource:        "traces were read from more than one source: each belongs to its root's",
	ProblemNegativeDuration:   "spans end before they start: their duration is unknown",
	ProblemTimeMissing:        "spans without a start or an end time",
	ProblemTimeOutOfRange:     "spans with times beyond the year 2262",
	ProblemOutsideParent:      "spans start before or end after their parent",
	ProblemServiceMissing:     "spans without a service name",
	ProblemDuplicateAttribute: "attributes given twice: the last value holds",
	ProblemEmptyKey:           "attributes without a key were dropped",
	ProblemAttributeDropped:   "attributes were left out by the caller's filter",
	ProblemValueTruncated:     "attribute values were cut to the length limit",
	ProblemValueDepth:         "attribute values nested too deeply were cut",
	ProblemInvalidUTF8:        "texts that are not UTF-8 were repaired",
	ProblemWeightCapped:       "sampling weights were capped",
	ProblemWeightInvalid:      "sampling probabilities that are none were ignored",
	ProblemMixedSampling:      "spans of one trace disagree on its sampling weight: the largest holds",
	ProblemPathDepth:          "call paths too deep to keep apart were folded",
	ProblemKindUnknown:        "spans of an unknown kind: unspecified",
	ProblemStatusUnknown:      "spans of an unknown status: unset",
}

// problems accumulates warnings by code, keeping the smallest example so that the order of input
// does not show. The zero value is ready to use.
type problems map[string]*Warning

func (p *problems) note(code, message string, id TraceID) {
	if *p == nil {
		*p = problems{}
	}
	w := (*p)[code]
	if w == nil {
		if text, ok := problemText[code]; ok {
			message = text
		}
		w = &Warning{Code: code, Message: message}
		(*p)[code] = w
	} else if problemText[code] == "" && message < w.Message {
		w.Message = message
	}
	w.Count++
	if !id.IsZero() {
		if s := id.String(); w.TraceID == "" || s < w.TraceID {
			w.TraceID = s
		}
	}
}

func (p problems) list() []Warning {
	ws := make([]Warning, 0, len(p))
	for _, w := range p {
		ws = append(ws, *w)
	}
	slices.SortFunc(ws, func(a, b Warning) int { return cmp.Compare(a.Code, b.Code) })
	return ws
}
