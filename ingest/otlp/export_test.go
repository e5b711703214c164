package otlp

// ReadWindow is Read with a window of another size, so that small documents lie in several.
var ReadWindow = readWindow
