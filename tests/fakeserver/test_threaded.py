"""Blocking clients meet the fake server on real loopback sockets."""

from __future__ import annotations

import http.client
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

from windtunnel_fakeserver import (
    Reply,
    Request,
    ThreadedLoopback,
    VerificationError,
    Wire,
)

if TYPE_CHECKING:
    from collections.abc import Generator


def fetch(url: str, method: str = "GET") -> tuple[int, bytes]:
    """Ask with the standard library, which blocks."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=9)
    try:
        connection.request(method, parts.path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_a_blocking_client_is_answered_and_recorded() -> None:
    with ThreadedLoopback() as venue:
        route = venue.server.expect("GET", "/a").reply(Reply(text="hello"))

        assert fetch(venue.server.url("/a")) == (200, b"hello")

        assert route.count == 1
        assert venue.journal.one("GET", "/a").version == "HTTP/1.1"
        assert venue.verdict().ok


def test_hosts_over_tls_are_trusted_through_the_authority() -> None:
    with ThreadedLoopback() as venue:
        secure = venue.host("https://127.0.0.1:0", app=lambda request: Reply(202))
        trust = venue.authority.client_context()

        with httpx.Client(verify=trust, trust_env=False) as client:
            assert client.get(secure.url("/")).status_code == 202


def test_hosts_with_names_say_where_they_listen() -> None:
    with ThreadedLoopback() as venue:
        named = venue.host("http://a.test")
        named.on("GET", "/").reply(Reply(204))
        address, port = venue.address(named)

        assert venue.resolve == {"a.test:80": f"{address}:{port}"}
        assert fetch(f"http://{address}:{port}/") == (204, b"")


def test_scripts_run_in_the_thread_of_the_server() -> None:
    seen: list[str] = []

    async def script(wire: Wire) -> None:
        seen.append(threading.current_thread().name)
        await wire.read_request()
        await wire.send(b"HTTP/1.0 200 OK\r\n\r\nraw")
        wire.eof()

    with ThreadedLoopback() as venue:
        venue.server.on_connect(script)
        assert fetch(venue.server.url()) == (200, b"raw")

    assert seen == ["windtunnel loopback"]


def test_what_did_not_come_fails_at_the_end() -> None:
    with pytest.raises(VerificationError, match="0 of 1 calls came"), _expecting():
        pass


def test_a_failure_of_the_test_comes_first_and_gets_the_story_as_a_note() -> None:
    with pytest.raises(KeyError) as caught, _expecting():
        raise KeyError("mine")

    assert "0 of 1 calls came" in caught.value.__notes__[0]


@contextmanager
def _expecting() -> Generator[None]:
    with ThreadedLoopback() as venue:
        venue.server.expect("GET", "/never")
        yield


def test_verification_can_be_left_to_the_test() -> None:
    with ThreadedLoopback(strict=False) as venue:
        venue.server.expect("GET", "/never")

    with pytest.raises(VerificationError):
        venue.verify()


def test_a_gate_holds_blocking_clients_until_the_test_lets_them_go() -> None:
    with ThreadedLoopback() as venue, ThreadPoolExecutor(2) as pool:
        gate = venue.gate("both")
        venue.server.on("GET", "/").reply(Reply(text="late", hold=gate))
        url = venue.server.url("/")
        asked = [pool.submit(fetch, url) for _ in range(2)]

        gate.wait_for_arrivals(2)
        assert not any(one.done() for one in asked)
        gate.release()

        assert [one.result() for one in asked] == [(200, b"late")] * 2


def test_the_end_does_not_wait_for_who_is_held() -> None:
    with ThreadedLoopback() as venue, ThreadPoolExecutor(1) as pool:
        gate = venue.gate()
        venue.server.on("GET", "/").reply(Reply(hold=gate))
        asked = pool.submit(fetch, venue.server.url("/"))
        gate.wait_for_arrivals()
        venue.close()

        assert isinstance(asked.exception(), OSError | http.client.HTTPException)


def test_it_must_be_open_to_be_used() -> None:
    venue = ThreadedLoopback()

    with pytest.raises(RuntimeError, match="is not open"):
        venue.host("http://a.test")
    venue.close()
    with venue:
        pass
    with pytest.raises(RuntimeError, match="is not open"):
        _ = venue.server


def test_an_app_may_be_plain_or_a_coroutine_function() -> None:
    async def later(request: Request) -> Reply:
        return Reply(text=request.path)

    with ThreadedLoopback() as venue:
        server = venue.host("http://127.0.0.1:0", app=later)
        assert fetch(server.url("/path")) == (200, b"/path")
