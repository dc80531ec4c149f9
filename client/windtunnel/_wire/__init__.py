"""Bytes without I/O: heads, framing, chunks, limits."""
