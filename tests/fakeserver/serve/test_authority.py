"""The certificate authority of the process."""

from __future__ import annotations

import ssl
import sys

import pytest

from windtunnel_fakeserver import Loopback, Tls, Tunnel
from windtunnel_fakeserver._serve.authority import Authority


def test_there_is_one_authority_in_a_process() -> None:
    assert Tunnel().authority is Loopback().authority
    assert Tunnel().authority.ca_pem.startswith("-----BEGIN CERTIFICATE-----")


def test_client_contexts_trust_this_authority_alone() -> None:
    context = Tunnel().authority.client_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.cert_store_stats()["x509_ca"] == 1


def test_equal_certificates_are_made_once_and_contexts_are_fresh() -> None:
    authority = Tunnel().authority
    one = authority.server_context(Tls(), "a.test")
    two = authority.server_context(Tls(["a.test"]), "b.test")
    assert one is not two
    assert list(authority._leaves).count(Tls(["a.test"])) == 1


def test_keys_are_rsa() -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    pem = Tunnel().authority.ca_pem.encode()
    key = x509.load_pem_x509_certificate(pem).public_key()
    assert isinstance(key, RSAPublicKey)


def test_one_name_alone_is_refused() -> None:
    with pytest.raises(TypeError, match="give a list of names"):
        Tls("a.test")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)
    with pytest.raises(RuntimeError, match=r"pip install 'windtunnel\[pytest\]'"):
        _ = Authority().ca_pem
