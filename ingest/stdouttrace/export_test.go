package stdouttrace

// ReadWindow is Read with a window of another size.
var ReadWindow = readWindow
