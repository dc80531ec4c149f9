"""A simulated kernel, network and clock under CPython's own event loop."""
