"""Pinned certificates: what is a digest, and what is compared."""

from __future__ import annotations

from hashlib import md5, sha1, sha256
from typing import Any

import pytest

import windtunnel
from windtunnel._base.fingerprint import Fingerprint

DIGEST = sha256(b"certificate").digest()


class Tls:
    """A transport whose peer showed a certificate."""

    def __init__(self, certificate: bytes | None) -> None:
        self.certificate = certificate

    def getpeercert(self, binary_form: bool) -> bytes | None:
        assert binary_form
        return self.certificate

    def get_extra_info(self, name: str) -> Any:
        return {"ssl_object": self, "peername": ("1.2.3.4", 443, 0, 0)}[name]


class Plain:
    """A transport without TLS."""

    def get_extra_info(self, name: str) -> None:
        assert name == "ssl_object"


def test_the_pinned_certificate_is_taken_and_any_other_refused() -> None:
    pinned = Fingerprint(DIGEST)
    assert pinned.fingerprint == DIGEST
    transport: Any = Tls(b"certificate")
    pinned.check(transport)
    for other in (b"another", None):
        transport = Tls(other)
        with pytest.raises(windtunnel.ServerFingerprintMismatch) as caught:
            pinned.check(transport)
        error = caught.value
        assert (error.expected, error.host, error.port) == (DIGEST, "1.2.3.4", 443)
        assert error.got == sha256(other or b"").digest()


def test_a_transport_without_tls_has_nothing_to_compare() -> None:
    transport: Any = Plain()
    Fingerprint(DIGEST).check(transport)


@pytest.mark.parametrize(
    ("digest", "match"),
    [
        pytest.param(md5(b"").digest(), "insecure and not supported", id="md5"),
        pytest.param(sha1(b"").digest(), "insecure and not supported", id="sha1"),
        pytest.param(b"", "invalid length: 0 bytes", id="empty"),
        pytest.param(DIGEST + b"x", "invalid length: 33 bytes", id="too-long"),
    ],
)
def test_what_is_no_sha256_digest_is_refused(digest: bytes, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        Fingerprint(digest)
