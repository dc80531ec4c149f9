"""Certificates of both sides: what is shown, what is refused, with which error."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

import windtunnel
from tests.client.transport.test_tunnel import PROXY, bridge
from windtunnel_fakeserver import Identity, Reply, Tls, Tunnel

if TYPE_CHECKING:
    from windtunnel_fakeserver._serve.authority import ClientCertificates

Main: TypeAlias = Callable[[windtunnel.ClientSession, Tunnel], Awaitable[None]]
URL = "https://a.test/"


def play(
    main: Main,
    tls: Tls | None = None,
    identity: Identity | None = None,
    version: str = "TLSv1_3",
) -> Tunnel:
    """Run with a session that has an identity, and an https host of some kind."""
    tunnel = Tunnel()
    tunnel.host("https://a.test", tls=tls).on("GET", "/").reply(Reply(text="ok"))

    async def program(tunnel: Tunnel) -> None:
        context = tunnel.authority.client_context(identity)
        context.maximum_version = ssl.TLSVersion[version]
        connector = windtunnel.TCPConnector(ssl=context, limit=1)
        async with windtunnel.ClientSession(connector=connector) as session:
            await main(session, tunnel)

    tunnel.run(program)
    return tunnel


async def read(
    session: windtunnel.ClientSession, url: str = URL, **options: Any
) -> str:
    async with session.get(url, **options) as response:
        return await response.text()


# --- those of clients ---------------------------------------------------------------


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("clients", ["required", "optional"])
def test_a_certificate_in_the_context_is_shown_to_a_server_that_asks(
    clients: ClientCertificates, version: str
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        for _ in range(2):
            assert await read(session) == "ok"
        (record,) = tunnel.journal.connections
        assert record.client_name == "alice"

    play(main, Tls(clients=clients), Identity("alice"), version)


WRONG = [
    pytest.param(None, id="none"),
    pytest.param(Identity(trusted=False), id="untrusted"),
    pytest.param(Identity(expired=True), id="expired"),
]


@pytest.mark.parametrize("identity", WRONG)
def test_a_refused_certificate_fails_the_handshake_of_tls_1_2(
    identity: Identity | None,
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(windtunnel.ClientConnectorSSLError):
            await read(session)
        assert len(tunnel.journal.connections) == 1

    play(main, Tls(clients="required"), identity, "TLSv1_2")


@pytest.mark.parametrize("identity", WRONG)
def test_in_tls_1_3_it_is_known_after_the_request_and_names_the_reason(
    identity: Identity | None,
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(windtunnel.ClientOSError, match="ALERT") as caught:
            await read(session)
        assert isinstance(caught.value.__cause__, ssl.SSLError)

    play(main, Tls(clients="required"), identity, "TLSv1_3")


def test_requests_with_different_certificates_share_no_connection() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        contexts = [
            tunnel.authority.client_context(Identity(name)) for name in ("a", "b")
        ]
        for context in (*contexts, *contexts):
            assert await read(session, ssl=context) == "ok"
        names = [record.client_name for record in tunnel.journal.connections]
        assert names == ["a", "b"]

    play(main, Tls(clients="required"))


def test_a_certificate_reaches_the_target_through_a_tunnel() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host(PROXY).on_connect(bridge)
        assert await read(session, proxy=PROXY) == "ok"
        names = [record.client_name for record in tunnel.journal.connections]
        assert names == ["", "alice"]

    play(main, Tls(clients="required"), Identity("alice"))


# --- those of servers ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("tls", "reason"),
    [
        pytest.param(Tls(["b.test"]), "Hostname mismatch", id="wrong-name"),
        pytest.param(Tls(expired=True), "expired", id="expired"),
        pytest.param(Tls(trusted=False), "unable to get local issuer", id="untrusted"),
        pytest.param(
            Tls(["b.test"], "a.test"), "Hostname mismatch", id="right-common-name-only"
        ),
    ],
)
def test_a_wrong_certificate_of_the_server_is_refused_unless_nobody_looks(
    tls: Tls, reason: str
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(windtunnel.ClientConnectorCertificateError) as caught:
            await read(session)
        error = caught.value
        assert reason in str(error.certificate_error)
        assert (error.host, error.port) == ("a.test", 443)
        assert await read(session, ssl=False) == "ok"

    play(main, tls)


def test_server_hostname_is_the_name_that_is_checked_and_asked_for() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        assert await read(session, server_hostname="b.test") == "ok"
        with pytest.raises(windtunnel.ClientConnectorCertificateError):
            await read(session)
        # Another name is another connection, too.
        assert len(tunnel.journal.connections) == 2

    play(main, Tls(["b.test"]))


def test_a_dot_at_the_end_of_the_host_is_none_of_the_certificates_name() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        assert await read(session, "https://a.test./") == "ok"

    play(main)


def _digest(tunnel: Tunnel, host: str) -> bytes:
    """Give the fingerprint of a host's certificate."""
    leaf = tunnel.authority._leaves[Tls([host])]
    pem = leaf.cert_chain_pems[0].bytes().decode()
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).digest()


def test_a_fingerprint_pins_the_certificate_of_every_hop_of_a_redirect() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        other = tunnel.host("https://b.test")
        other.on("GET", "/").reply(Reply(302, {"Location": URL}))
        for host in ("a.test", "b.test"):
            await read(session, f"https://{host}/", allow_redirects=False)
        pin = windtunnel.Fingerprint(_digest(tunnel, "b.test"))
        with pytest.raises(windtunnel.ServerFingerprintMismatch) as caught:
            await read(session, "https://b.test/", ssl=pin)
        assert caught.value.got == _digest(tunnel, "a.test")
        assert caught.value.expected == _digest(tunnel, "b.test")

    play(main)


def test_a_fingerprint_pins_the_target_behind_a_proxy() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host(PROXY).on_connect(bridge, bridge)
        await read(session)
        right = windtunnel.Fingerprint(_digest(tunnel, "a.test"))
        assert await read(session, ssl=right, proxy=PROXY) == "ok"
        with pytest.raises(windtunnel.ServerFingerprintMismatch):
            await read(session, ssl=windtunnel.Fingerprint(bytes(32)), proxy=PROXY)

    play(main)


def test_a_wrong_fingerprint_leaves_no_connection_and_no_place_taken() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        wrong = windtunnel.Fingerprint(bytes(32))
        for _ in range(3):
            with pytest.raises(windtunnel.ServerFingerprintMismatch):
                await read(session, ssl=wrong)
        assert await read(session) == "ok"
        assert tunnel.left_open == tunnel.journal.connections[-1:]

    play(main)
