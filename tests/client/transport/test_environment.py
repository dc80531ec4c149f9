"""trust_env: proxies and credentials from the environment, asked for at each hop."""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

import windtunnel
from tests.client.support import answering
from windtunnel_fakeserver import Tunnel

if TYPE_CHECKING:
    from pathlib import Path

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PROXY = "http://proxy.test:3128"

Main: TypeAlias = Callable[[windtunnel.ClientSession, Tunnel], Awaitable[None]]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name == "NETRC":
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


async def read_all(session: windtunnel.ClientSession, url: str, **options: Any) -> str:
    async with session.get(url, **options) as response:
        return await response.text()


def play(main: Main, *, trust_env: bool = True, **options: Any) -> None:
    async def program(tunnel: Tunnel) -> None:
        async with windtunnel.ClientSession(trust_env=trust_env, **options) as session:
            assert session.trust_env is trust_env
            await main(session, tunnel)

    Tunnel().run(program)


def test_the_variable_of_the_scheme_names_the_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host(PROXY).on_connect(
            answering(OK, then_close=False),
            answering(b"HTTP/1.1 403 No\r\n\r\n"),
            answering(b"HTTP/1.1 403 No\r\n\r\n"),
        )
        assert await read_all(session, "http://a.test/") == "ok"
        for url in ("https://a.test/", "ws://a.test/"):
            with pytest.raises(windtunnel.ClientHttpProxyError):
                await session.get(url)
        requests = [each.request for each in tunnel.journal.exchanges]
        assert [each.target for each in requests] == [
            *("http://a.test/", "a.test:443", "a.test:80"),
        ]
        assert requests[0].header("Proxy-Authorization") == "Basic dTpw"

    for name in ("http_proxy", "https_proxy", "ws_proxy"):
        monkeypatch.setenv(name, "http://u:p@proxy.test:3128")
    play(main)


def test_the_environment_is_not_asked_unless_it_is_trusted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host("http://a.test").on_connect(answering(OK))
        assert await read_all(session, "http://a.test/") == "ok"

    monkeypatch.setenv("http_proxy", PROXY)
    play(main, trust_env=False)


@pytest.mark.parametrize("exceptions", ["a.test", "*", "test:80"])
def test_no_proxy_is_honoured(monkeypatch: pytest.MonkeyPatch, exceptions: str) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host("http://a.test").on_connect(answering(OK))
        assert await read_all(session, "http://a.test/") == "ok"

    monkeypatch.setenv("http_proxy", PROXY)
    monkeypatch.setenv("no_proxy", exceptions)
    play(main)


def test_the_environment_is_asked_again_for_each_hop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host(PROXY).on_connect(
            answering(
                b"HTTP/1.1 302 Found\r\nLocation: http://b.test/\r\n"
                b"Content-Length: 0\r\n\r\n",
                then_close=False,
            )
        )
        tunnel.host("http://b.test").on_connect(answering(OK))
        assert await read_all(session, "http://a.test/") == "ok"
        direct = tunnel.journal.exchanges[1].request
        assert direct.target == "/"
        assert direct.header("Proxy-Authorization") is None

    monkeypatch.setenv("http_proxy", "http://u:p@proxy.test:3128")
    monkeypatch.setenv("no_proxy", "b.test")
    play(main)


def test_the_argument_wins_over_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host(PROXY).on_connect(answering(OK))
        assert await read_all(session, "http://a.test/", proxy=PROXY) == "ok"

    monkeypatch.setenv("http_proxy", "http://wrong.test")
    play(main)


def test_https_proxies_of_the_environment_are_ignored_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host("http://a.test").on_connect(answering(OK))
        assert await read_all(session, "http://a.test/") == "ok"

    monkeypatch.setenv("http_proxy", "https://u:secret@proxy.test")
    with caplog.at_level(logging.WARNING, "windtunnel.client"):
        play(main)
    assert caplog.messages == [
        "HTTPS proxies https://proxy.test are not supported, ignoring"
    ]


@pytest.mark.parametrize("place", ["variable", "home"])
def test_netrc_has_credentials_for_servers_and_proxies(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    path = tmp_path / ("x" if place == "variable" else ".netrc")
    path.write_text(
        "machine a.test login u password p\nmachine proxy.test login v password q\n"
    )
    path.chmod(0o600)
    if place == "variable":
        monkeypatch.setenv("NETRC", str(path))

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host(PROXY).on_connect(
            answering(OK, OK, then_close=False), answering(OK, then_close=False)
        )
        await read_all(session, "http://a.test/")
        await read_all(session, "http://b.test/")
        own = {"Authorization": "Mine"}
        await read_all(session, "http://a.test/", headers=own)
        sent = [each.request for each in tunnel.journal.exchanges]
        assert [each.header("Authorization") for each in sent] == [
            *("Basic dTpw", None, "Mine"),
        ]
        assert {each.header("Proxy-Authorization") for each in sent} == {"Basic djpx"}

    monkeypatch.setenv("http_proxy", PROXY)
    play(main)


@pytest.mark.parametrize(
    ("text", "message"),
    [("machine", "Could not parse"), (None, "Could not read")],
)
def test_a_bad_netrc_is_reported_and_not_raised(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    text: str | None,
    message: str,
) -> None:
    path = tmp_path / "x"
    if text is not None:
        path.write_text(text)
    monkeypatch.setenv("NETRC", str(path))

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host("http://a.test").on_connect(answering(OK))
        assert await read_all(session, "http://a.test/") == "ok"

    with caplog.at_level(logging.WARNING, "windtunnel.client"):
        play(main)
    assert caplog.messages[0].startswith(message)


def test_no_netrc_at_home_is_no_news(caplog: pytest.LogCaptureFixture) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host("http://a.test").on_connect(answering(OK))
        assert await read_all(session, "http://a.test/") == "ok"

    with caplog.at_level(logging.DEBUG, "windtunnel.client"):
        play(main)
    assert caplog.messages == []
