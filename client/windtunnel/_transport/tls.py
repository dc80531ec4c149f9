"""Which TLS context a connection uses.

The value of an ``ssl`` argument comes in, a context goes out. Contexts are made on
first use and once per process: loading the trust roots takes milliseconds.
"""

from __future__ import annotations

import ssl
import warnings
from functools import lru_cache
from typing import TypeAlias

from windtunnel._base.fingerprint import Fingerprint
from windtunnel._base.typedefs import shown

TlsSetting: TypeAlias = "ssl.SSLContext | Fingerprint | bool"

_ALLOWED = "allowed are True, False, None, ssl.SSLContext and Fingerprint"


def merge_ssl_arguments(
    value: TlsSetting | None,
    verify_ssl: bool | None,
    ssl_context: ssl.SSLContext | None,
    fingerprint: bytes | None,
) -> TlsSetting | None:
    """Turn the three old arguments into the value of ``ssl``.

    Raises:
        ValueError: More than one was given, or the fingerprint is no sha256 digest.
    """
    old: list[TlsSetting] = []
    if verify_ssl is False:
        _warn("verify_ssl is deprecated, use ssl=False instead")
        old.append(False)
    if ssl_context is not None:
        _warn("ssl_context is deprecated, use ssl=context instead")
        old.append(ssl_context)
    if fingerprint is not None:
        _warn("fingerprint is deprecated, use ssl=Fingerprint(fingerprint) instead")
        old.append(Fingerprint(fingerprint))
    if not old:
        return value
    if len(old) > 1 or not (value is None or value is True):
        msg = (
            "verify_ssl, ssl_context, fingerprint and ssl parameters are mutually "
            "exclusive"
        )
        raise ValueError(msg)
    return old[0]


def _warn(text: str) -> None:
    # Over merge_ssl_arguments, the constructor or the request, to the caller.
    warnings.warn(text, DeprecationWarning, stacklevel=4)


def check_ssl_argument(value: object) -> TlsSetting:
    """Check what a caller gave as ``ssl``; None means True.

    Raises:
        TypeError: It is none of a bool, a context and a fingerprint.
    """
    if value is None:
        return True
    if isinstance(value, (bool, ssl.SSLContext, Fingerprint)):
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


def context_for(value: TlsSetting) -> ssl.SSLContext:
    """Give the context for a checked argument.

    It verifies for True and does not for False, nor for a fingerprint, which is
    compared after the handshake.
    """
    if isinstance(value, ssl.SSLContext):
        return value
    return _own_context(value is True)


@lru_cache(maxsize=2)
def _own_context(verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    # The only protocol this client speaks; a server that wants h2 must not choose it.
    context.set_alpn_protocols(["http/1.1"])
    return context
