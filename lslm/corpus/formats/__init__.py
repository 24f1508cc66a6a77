"""One module a file format, all of one shape: `rows(path, ...)` yields `Row` and `Malformed`."""
