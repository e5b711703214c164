package compare

import "strings"

// consequenceKeys say how something ended, by the conventions of OpenTelemetry and by habit. A key that
// begins with one that ends in a dot counts too.
var consequenceKeys = []string{
	"error", "error.", "exception.", "otel.status_code", "otel.status_description", "status", "status_code",
	"http.status_code", "http.response.status_code", "http.response.body.size", "http.response_content_length",
	"http.request.resend_count", "rpc.grpc.status_code", "rpc.response.status_code", "grpc.status_code", "db.response.status_code",
	"business.outcome", "level", "log.level", "severity", "log.severity",
}

// consequenceParts mark a key of which they are a word.
var consequenceParts = []string{"retry", "retries", "attempt", "attempts", "duration", "latency", "elapsed", "ms", "exception", "outcome"}

// consequenceByName says why an attribute of this key is a consequence of a failure, or "".
func consequenceByName(key string, more []string) string {
	for _, list := range [][]string{consequenceKeys, more} {
		for _, k := range list {
			if key == k || strings.HasSuffix(k, ".") && strings.HasPrefix(key, k) {
				return "says how the request ended"
			}
		}
	}
	for _, word := range wordsOf(key) {
		for _, part := range consequenceParts {
			if word == part {
				return "counts attempts or time"
			}
		}
	}
	return ""
}

// isIDName reports whether the key names an identifier, also where its values are numbers.
func isIDName(key string) bool {
	if words := wordsOf(key); len(words) > 0 {
		switch words[len(words)-1] {
		case "id", "uuid", "guid", "timestamp":
			return true
		}
	}
	return strings.HasSuffix(key, "Id") || strings.HasSuffix(key, "ID")
}

// isPortName reports whether the key names a port: a number whose size says nothing.
func isPortName(key string) bool {
	words := wordsOf(key)
	return len(words) > 0 && words[len(words)-1] == "port"
}

func wordsOf(key string) []string {
	return strings.FieldsFunc(strings.ToLower(key), func(r rune) bool { return r == '.' || r == '_' || r == '-' })
}
