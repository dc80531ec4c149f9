"""Which TLS context a connection uses.

The value of an ``ssl`` argument comes in, a context goes out. Contexts are made on
first use and once per process: loading the trust roots takes milliseconds.
"""

from __future__ import annotations

import ssl
from functools import lru_cache

from windtunnel._base.typedefs import shown

_ALLOWED = "allowed are True, False, None and ssl.SSLContext"


def check_ssl_argument(value: object) -> ssl.SSLContext | bool:
    """Check what a caller gave as ``ssl``; None means True.

    Raises:
        TypeError: It is neither a bool nor a context.
    """
    if value is None:
        return True
    if isinstance(value, (bool, ssl.SSLContext)):
        return value
    msg = f"ssl={shown(value)} is a {type(value).__name__}; {_ALLOWED}"
    raise TypeError(msg)


def has_said_goodbye(ssl_object: ssl.SSLObject) -> bool:
    """Say whether the peer ended the connection with a TLS closure alert.

    Without one, whoever sits in between may have cut it: a body that ends with the
    connection is complete only after the alert.

    Args:
        ssl_object: Of a connection whose last data was read.

    Spec: RFC 9112 section 9.8.
    """
    try:
        return not ssl_object.read(1)
    except ssl.SSLError:
        return False


def context_for(value: ssl.SSLContext | bool) -> ssl.SSLContext:
    """Give the context for a checked argument: verifying for True, none for False."""
    return value if isinstance(value, ssl.SSLContext) else _own_context(value)


@lru_cache(maxsize=2)
def _own_context(verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    # The only protocol this client speaks; a server that wants h2 must not choose it.
    context.set_alpn_protocols(["http/1.1"])
    return context
