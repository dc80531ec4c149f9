"""A conformance corpus for HTTP clients, its runner and its report."""
