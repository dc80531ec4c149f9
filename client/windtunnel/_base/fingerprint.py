"""The digest of a certificate that a caller pins."""

from __future__ import annotations

from hashlib import md5, sha1, sha256
from typing import TYPE_CHECKING, Any, ClassVar

from windtunnel.errors.connection import ServerFingerprintMismatch

if TYPE_CHECKING:
    import asyncio
    import ssl
    from collections.abc import Callable

# Digests that can be forged.
_BROKEN = (md5, sha1)


class Fingerprint:
    """What a server's certificate has to be; stands in for verifying its chain.

    Args:
        fingerprint: SHA-256 digest of the certificate in DER form, 32 bytes.

    Attributes:
        HASHFUNC_BY_DIGESTLEN: Digests by their size in bytes; only one is accepted.

    Raises:
        ValueError: It has the size of another digest.

    Compat: aiohttp's Fingerprint, given as ``ssl``.
    """

    __slots__ = ("_fingerprint",)

    HASHFUNC_BY_DIGESTLEN: ClassVar[dict[int, Callable[..., Any]]] = {
        16: md5,
        20: sha1,
        32: sha256,
    }

    def __init__(self, fingerprint: bytes) -> None:
        size = len(fingerprint)
        function = self.HASHFUNC_BY_DIGESTLEN.get(size)
        if function in _BROKEN:
            msg = f"md5 and sha1 are insecure and not supported ({size} bytes); give "
            raise ValueError(msg + "the sha256 digest of the certificate")
        if function is None:
            msg = f"fingerprint has invalid length: {size} bytes, a sha256 digest has "
            raise ValueError(f"{msg}32")
        self._fingerprint = fingerprint

    @property
    def fingerprint(self) -> bytes:
        """The digest."""
        return self._fingerprint

    def check(self, transport: asyncio.BaseTransport) -> None:
        """Compare the certificate that the peer of a TLS connection showed.

        A transport without TLS has nothing to compare.

        Raises:
            ServerFingerprintMismatch: It is another one.
        """
        tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        if tls is None:
            return
        got = sha256(tls.getpeercert(binary_form=True) or b"").digest()
        if got != self._fingerprint:
            host, port, *_ = transport.get_extra_info("peername")
            raise ServerFingerprintMismatch(self._fingerprint, got, host, port)
