package tracewhy

import (
	"bytes"
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

// The problems of spans that [Builder.Build] and [Builder.Add] count under stable codes. A span with a
// problem is kept, and marked where there is a [Mark] for it, unless the comment says otherwise.
const (
	ProblemIDZero             = "id_zero"             // an id of zeros only: quarantined
	ProblemShortIDJoined      = "id_short_joined"     // a trace id whose upper half was lost: joined to its trace
	ProblemDuplicateSpan      = "duplicate_span"      // the same span twice: merged
	ProblemPartialSpan        = "partial_span"        // an earlier report of a span that was later completed: merged
	ProblemConflictingSpan    = "conflicting_span"    // one id, two contents: merged, the winner chosen by content
	ProblemSharedSpanID       = "shared_span_id"      // client and server under one id: the server span got a derived id
	ProblemAmbiguousParent    = "ambiguous_parent"    // the parent id is shared, and the service does not say whose child it is
	ProblemSelfParent         = "self_parent"         // a span that names itself as its parent: a root
	ProblemCycle              = "cycle"               // parents that form a ring: cut at its earliest span, which is a root
	ProblemOrphan             = "orphan"              // the parent is not in the Set
	ProblemNoRoot             = "no_root"             // a trace of orphans only
	ProblemSeveralRoots       = "several_roots"       // a trace with more than one root
	ProblemMegaTrace          = "mega_trace"          // one trace id for many requests: split at the spans that name no parent
	ProblemSplitSource        = "split_source"        // one trace read from several sources: it belongs to its root's
	ProblemNegativeDuration   = "negative_duration"   // end before start: the duration is unknown
	ProblemTimeMissing        = "time_missing"        // no start or no end: the interval is unknown
	ProblemTimeOutOfRange     = "time_out_of_range"   // beyond the year 2262: the interval is unknown
	ProblemOutsideParent      = "outside_parent"      // starts before or ends after its parent
	ProblemServiceMissing     = "service_missing"     // no service.name: "unknown_service"
	ProblemDuplicateAttribute = "duplicate_attribute" // a key twice on one span: the last value holds
	ProblemEmptyKey           = "empty_attribute_key" // an attribute without a key: dropped
	ProblemAttributeDropped   = "attribute_dropped"   // left out by Builder.KeepAttribute
	ProblemValueTruncated     = "value_truncated"     // cut to Builder.MaxValueLen
	ProblemValueDepth         = "value_depth"         // nested deeper than MaxValueDepth: cut
	ProblemKindUnknown        = "kind_unknown"        // no kind of OpenTelemetry: unspecified
	ProblemStatusUnknown      = "status_unknown"      // no status code of OpenTelemetry: unset
	ProblemInvalidUTF8        = "invalid_utf8"        // repaired, with a hash that keeps different texts apart
	ProblemWeightCapped       = "weight_capped"       // a sampling weight over MaxWeight
	ProblemWeightInvalid      = "weight_invalid"      // a sampling threshold or probability that is none: unknown
	ProblemWeightMissing      = "weight_missing"      // no recorded weight, while other traces of the Set have one: taken as 1
	ProblemMixedSampling      = "mixed_sampling"      // spans of one trace disagree on its sampling weight: the largest holds
	ProblemNameTemplated      = "name_templated"      // a span name with an identifier in it: its operation is a template
	ProblemPathDepth          = "path_depth"          // a call path deeper than MaxPathDepth: folded
)

// The problems of input that readers count with [Builder.Quarantine] and [Builder.Note].
const (
	ProblemIDMissing          = "id_missing"          // no trace or span id: quarantined
	ProblemIDInvalid          = "id_invalid"          // an id that is no identifier: quarantined
	ProblemIDLength           = "id_length"           // a binary id of the wrong length: quarantined
	ProblemIDBase64           = "id_base64"           // an id written in base64, read as such
	ProblemIDShort            = "id_short"            // a short id, padded with zeros on the left
	ProblemTimeInvalid        = "time_invalid"        // a time that is no number of nanoseconds: quarantined
	ProblemUnitSuspect        = "unit_suspect"        // a time of a magnitude that suggests another unit, or a clock that was never set
	ProblemAttributeInvalid   = "attribute_invalid"   // an attribute that cannot be read: dropped
	ProblemValueInvalid       = "value_invalid"       // a value that is not of the type it says: kept as text, or empty
	ProblemEnumQuoted         = "enum_quoted"         // a kind or status given as a quoted number: read as such
	ProblemLinkInvalid        = "link_invalid"        // a link that leads nowhere: dropped
	ProblemTooMany            = "too_many"            // more attributes, events or links on a span than a reader's limit: the first are kept
	ProblemLegacySchema       = "legacy_schema"       // field names of an older format
	ProblemDuplicateField     = "duplicate_field"     // a field twice in one message: the last holds
	ProblemShape              = "shape"               // a part of the wrong type: left out, its span quarantined
	ProblemSyntax             = "syntax"              // the input cannot be read past this point
	ProblemTruncatedInput     = "truncated_input"     // the input stops in the middle: complete spans are kept
	ProblemTextSkipped        = "text_skipped"        // text around documents, the prefix of a log line for example: passed over
	ProblemTrailingData       = "trailing_data"       // bytes after the last document
	ProblemEmptyInput         = "empty_input"         // an input without any span
	ProblemNotTraces          = "not_traces"          // well-formed input that holds no trace data
	ProblemUnknownCompression = "unknown_compression" // compressed in a way that is not read
	ProblemLimit              = "limit_exceeded"      // more than a reader's limit allows: the rest was not read
)

// problemText says in words what a code of this package means.
var problemText = map[string]string{
	ProblemIDZero:             "spans with an all-zero id were left out",
	ProblemShortIDJoined:      "traces have spans with only the lower half of their id: joined",
	ProblemDuplicateSpan:      "spans reported more than once were counted once",
	ProblemPartialSpan:        "earlier reports of spans that were completed later were merged",
	ProblemConflictingSpan:    "spans with one id and different contents were merged",
	ProblemSharedSpanID:       "client and server spans share an id: the server span got one of its own",
	ProblemAmbiguousParent:    "spans name a parent id that is shared, and their service does not say whose child they are",
	ProblemSelfParent:         "spans name themselves as parent: taken as roots",
	ProblemCycle:              "parent links form a ring: cut at its earliest span",
	ProblemOrphan:             "spans whose parent is missing",
	ProblemNoRoot:             "traces without a root span",
	ProblemSeveralRoots:       "traces with more than one root span",
	ProblemMegaTrace:          "trace ids were used for many requests: each request is a trace of its own",
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
	ProblemKindUnknown:        "spans of an unknown kind: unspecified",
	ProblemStatusUnknown:      "spans of an unknown status: unset",
	ProblemInvalidUTF8:        "texts that are not UTF-8 were repaired",
	ProblemWeightCapped:       "sampling weights were capped",
	ProblemWeightInvalid:      "sampling probabilities that are none were ignored",
	ProblemWeightMissing:      "traces without a sampling weight beside traces with one: taken as 1",
	ProblemMixedSampling:      "spans of one trace disagree on its sampling weight: the largest holds",
	ProblemNameTemplated:      "span names with identifiers in them were replaced by templates",
	ProblemPathDepth:          "call paths too deep to keep apart were folded",

	ProblemIDMissing:          "spans without a trace or span id were left out",
	ProblemIDInvalid:          "spans with an id that is none were left out",
	ProblemIDLength:           "spans with an id of the wrong length were left out",
	ProblemIDBase64:           "ids written in base64 were read as such",
	ProblemIDShort:            "short ids were padded with zeros",
	ProblemTimeInvalid:        "spans with times that are none were left out",
	ProblemUnitSuspect:        "times look as if they were in another unit, or of a clock that was never set",
	ProblemAttributeInvalid:   "attributes that cannot be read were dropped",
	ProblemValueInvalid:       "attribute values that are not of the type they say",
	ProblemEnumQuoted:         "kinds or status codes given as quoted numbers were read as such",
	ProblemLinkInvalid:        "links that lead nowhere were dropped",
	ProblemTooMany:            "spans have more attributes, events or links than the limit: the rest was dropped",
	ProblemLegacySchema:       "field names of an older format were understood",
	ProblemDuplicateField:     "fields given twice: the last holds",
	ProblemShape:              "parts of the wrong type were left out",
	ProblemSyntax:             "input that cannot be read any further",
	ProblemTruncatedInput:     "input that stops in the middle: complete spans were kept",
	ProblemTextSkipped:        "text around the documents of an input was passed over",
	ProblemTrailingData:       "input with bytes after its last document",
	ProblemEmptyInput:         "input without any span",
	ProblemNotTraces:          "input that holds no trace data",
	ProblemUnknownCompression: "input compressed in an unknown way",
	ProblemLimit:              "input beyond a limit was not read",

	WarningTransactionBatch:  "spans link to too many traces to be part of one transaction: not joined",
	WarningTransactionCommon: "correlation values are shared by too many traces: not joined",
}

// problems accumulates warnings by code. Of examples and places it keeps the smallest, so that the
// order of input does not show.
type problems map[string]*problem

type problem struct {
	count   int
	example TraceID
	where   string
}

func (p *problems) note(code, where string, id TraceID) {
	if *p == nil {
		*p = problems{}
	}
	w := (*p)[code]
	if w == nil {
		w = &problem{}
		(*p)[code] = w
	}
	w.count++
	if !id.IsZero() && (w.example.IsZero() || bytes.Compare(id[:], w.example[:]) < 0) {
		w.example = id
	}
	if where != "" && (w.where == "" || where < w.where) {
		w.where = where
	}
}

// list returns the problems as warnings, sorted by code.
func (p problems) list() []Warning {
	ws := make([]Warning, 0, len(p))
	for code, w := range p {
		out := Warning{Code: code, Message: problemText[code], Count: w.count}
		if w.where != "" {
			if out.Message != "" {
				out.Message += "; for example "
			}
			out.Message += w.where
		}
		if !w.example.IsZero() {
			out.TraceID = w.example.String()
		}
		ws = append(ws, out)
	}
	slices.SortFunc(ws, func(a, b Warning) int { return cmp.Compare(a.Code, b.Code) })
	return ws
}
