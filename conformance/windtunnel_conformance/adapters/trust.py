"""Makes the TLS context with which a Python client trusts the run's authority.

One context per authority and process: making one costs tens of milliseconds in some
clients, and every simulated run has the same authority.
"""

from __future__ import annotations

import functools
import ssl


@functools.lru_cache(maxsize=8)
def client_context(ca_pem: str) -> ssl.SSLContext:
    """Return a verifying context; it trusts ``ca_pem`` and, if empty, nobody."""
    if ca_pem:
        return ssl.create_default_context(cadata=ca_pem)
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
