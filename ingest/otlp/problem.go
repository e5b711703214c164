package otlp

const (
	problemTooMany     = "too_many"
	problemTextSkipped = "text_skipped" // text around the documents, such as the prefix of a log line
	problemEnumQuoted  = "enum_quoted"  // a kind or status written as a quoted number: read as such
)
