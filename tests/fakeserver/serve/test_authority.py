"""The certificate authority of the process."""

from __future__ import annotations

import asyncio
import ssl
import sys
from typing import TYPE_CHECKING, Any

import pytest

from windtunnel_fakeserver import Identity, Loopback, Reply, Tls, Tunnel
from windtunnel_fakeserver._serve.authority import Authority

if TYPE_CHECKING:
    from pathlib import Path

    from windtunnel_fakeserver._serve.authority import ClientCertificates


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


def test_another_word_for_clients_is_refused() -> None:
    word: Any = "maybe"
    with pytest.raises(ValueError, match="must be one of none, optional, required"):
        Tls(clients=word)


def test_a_client_can_load_its_certificate_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "client.pem"
    path.write_text(Tunnel().authority.client_pem(Identity("alice")))
    ssl.create_default_context().load_cert_chain(path)


def ask(
    clients: ClientCertificates,
    identity: Identity | None,
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
) -> str:
    """Ask an https host for a page, and return the name it knows the client by."""
    tunnel = Tunnel()
    host = tunnel.host("https://a.test", tls=Tls(clients=clients))
    host.on("GET", "/").reply(Reply())

    async def main(tunnel: Tunnel) -> str:
        context = tunnel.authority.client_context(identity)
        context.maximum_version = version
        reader, writer = await asyncio.open_connection("a.test", 443, ssl=context)
        try:
            writer.write(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        finally:
            writer.transport.abort()
        (record,) = tunnel.journal.connections
        return record.client_name

    return tunnel.run(main)


def test_a_host_knows_the_name_of_a_client_that_shows_its_certificate() -> None:
    assert ask("required", Identity("alice")) == "alice"
    assert ask("optional", Identity("alice")) == "alice"


def test_a_client_without_certificate_is_nobody_where_it_need_have_none() -> None:
    assert ask("optional", None) == ""
    assert ask("none", Identity("alice")) == ""


@pytest.mark.parametrize(
    ("clients", "identity", "alert"),
    [
        pytest.param("required", None, "CERTIFICATE_REQUIRED|HANDSHAKE", id="none"),
        pytest.param("required", Identity(trusted=False), "UNKNOWN_CA", id="untrusted"),
        pytest.param(
            "optional", Identity(trusted=False), "UNKNOWN_CA", id="untrusted-optional"
        ),
        pytest.param(
            "required", Identity(expired=True), "CERTIFICATE_EXPIRED", id="expired"
        ),
    ],
)
@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_a_client_with_a_wrong_certificate_gets_an_alert(
    clients: ClientCertificates, identity: Identity | None, alert: str, version: str
) -> None:
    with pytest.raises(ssl.SSLError, match=alert):
        ask(clients, identity, ssl.TLSVersion[version])


def test_a_tunnel_can_end_within_a_handshake() -> None:
    async def main(tunnel: Tunnel) -> None:
        tunnel.host("https://a.test")
        _reader, writer = await asyncio.open_connection("a.test", 443)
        await asyncio.sleep(1)
        writer.transport.abort()
        msg = "the test fails here"
        raise KeyError(msg)

    with pytest.raises(KeyError):
        Tunnel().run(main)
