"""The digest of a certificate that a caller pins."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from windtunnel.errors.connection import ServerFingerprintMismatch

if TYPE_CHECKING:
    import asyncio
    import ssl

_SIZE = 32
# Digests that can be forged: MD5 and SHA-1.
_BROKEN_SIZES = (16, 20)


class Fingerprint:
    """What a server's certificate has to be; stands in for verifying its chain.

    Args:
        fingerprint: SHA-256 digest of the certificate in DER form, 32 bytes.

    Raises:
        ValueError: It has the size of another digest.

    Compat: aiohttp's Fingerprint, given as ``ssl``.
    """

    __slots__ = ("_fingerprint",)

    def __init__(self, fingerprint: bytes) -> None:
        size = len(fingerprint)
        if size in _BROKEN_SIZES:
            msg = f"md5 and sha1 are insecure and not supported ({size} bytes); give "
            raise ValueError(msg + "the sha256 digest of the certificate")
        if size != _SIZE:
            msg = f"fingerprint has invalid length: {size} bytes, a sha256 digest has "
            raise ValueError(f"{msg}{_SIZE}")
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
