"""Routes, replies and matchers as values; no I/O."""
