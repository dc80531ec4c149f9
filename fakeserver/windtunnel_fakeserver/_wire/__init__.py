"""Requests as raw bytes in, replies as raw bytes out; no I/O."""
