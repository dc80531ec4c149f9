"""The middleware for Digest authentication, against a server that checks it."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

import windtunnel
from windtunnel._policy.digest import split_challenges
from windtunnel_fakeserver import Reply, Tunnel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from windtunnel_fakeserver import Request

A, B = "http://a.test", "http://b.test"


class Guard:
    """A server of one user, which checks every answer by the formulas of RFC 7616."""

    def __init__(
        self, *, algorithm: str = "SHA-256", qop: str = "auth", **more: str
    ) -> None:
        self.algorithm = algorithm
        self.qop = qop
        self.more = more
        self.nonce = "n0"
        self.seen: list[tuple[str, str, str]] = []
        self.next_nonce = ""
        self.max_uses = 1000

    def __call__(self, request: Request) -> Reply:
        field = request.header("Authorization")
        if field is None:
            return self.refuse()
        ((_, given),) = split_challenges(field)
        self.seen.append((given["nonce"], given.get("nc", ""), given["uri"]))
        if (
            given["nonce"] != self.nonce
            or int(given.get("nc", "1"), 16) > self.max_uses
        ):
            self.nonce = f"n{int(self.nonce[1:]) + 1}"
            return self.refuse(", stale=true")
        if given["response"] != self.expected(request, given):
            return self.refuse()
        headers: dict[str, str] = {}
        if self.next_nonce:
            headers["Authentication-Info"] = f'nextnonce="{self.next_nonce}"'
            self.nonce, self.next_nonce = self.next_nonce, ""
        return Reply(200, headers=headers, text="in")

    def refuse(self, more: str = "") -> Reply:
        field = f'Digest realm="r", nonce="{self.nonce}", algorithm={self.algorithm}'
        if self.qop:
            field += f', qop="{self.qop}"'
        field += "".join(f', {name}="{value}"' for name, value in self.more.items())
        return Reply(401, headers={"WWW-Authenticate": field + more}, text="out")

    def digest(self, *parts: str) -> str:
        name = self.algorithm.lower().replace("-sess", "").replace("-", "")
        return hashlib.new(name, ":".join(parts).encode()).hexdigest()

    def expected(self, request: Request, given: dict[str, str]) -> str:
        secret = self.digest("me", "r", "secret")
        if self.algorithm.endswith("-sess"):
            secret = self.digest(secret, given["nonce"], given["cnonce"])
        asked = [request.method, request.target]
        if given.get("qop") == "auth-int":
            asked.append(self.digest(request.body.decode()))
        parts = [secret, given["nonce"]]
        if "qop" in given:
            parts += [given["nc"], given["cnonce"], given["qop"]]
        return self.digest(*parts, self.digest(*asked))


def ask(
    guard: Guard,
    main: Callable[[Any], Awaitable[None]],
    client: Any = windtunnel,
    **options: Any,
) -> list[Request]:
    """Run with a session; the requests that both hosts got."""
    options.setdefault("login", "me")
    options.setdefault("password", "secret")
    tunnel = Tunnel()
    tunnel.host(A, app=guard)
    tunnel.host(B, app=guard)

    async def program(tunnel: Tunnel) -> None:
        middleware = client.DigestAuthMiddleware(**options)
        async with client.ClientSession(middlewares=[middleware]) as session:
            await main(session)

    tunnel.run(program)
    return [exchange.request for exchange in tunnel.journal]


@pytest.mark.parametrize(
    ("client", "algorithm", "qop"),
    [
        pytest.param(client, algorithm, qop, id=f"{client.__name__}-{algorithm}-{qop}")
        for client in (windtunnel, aiohttp)
        for algorithm in ("MD5", "MD5-sess", "SHA-256", "SHA-256-sess")
        for qop in ("", "auth", "auth-int", "auth,auth-int")
        # Without qop aiohttp does not tell its cnonce, which the secret depends on.
        if client is windtunnel or qop or not algorithm.endswith("-sess")
    ],
)
def test_a_challenge_is_answered_and_the_next_request_comes_with_an_answer(
    client: Any, algorithm: str, qop: str
) -> None:
    async def main(session: Any) -> None:
        async with session.post(f"{A}/x?q=1", data=b"body") as response:
            assert response.status == 200
        async with session.get(f"{A}/y") as response:
            assert response.status == 200

    guard = Guard(algorithm=algorithm, qop=qop)
    requests = ask(guard, main, client)
    assert [request.target for request in requests] == ["/x?q=1", "/x?q=1", "/y"]
    uses = ["", ""] if not qop else ["00000001", "00000002"]
    assert guard.seen == [("n0", uses[0], "/x?q=1"), ("n0", uses[1], "/y")]


def test_answers_in_advance_can_be_switched_off() -> None:
    async def main(session: windtunnel.ClientSession) -> None:
        await session.get(f"{A}/")
        await session.get(f"{A}/")

    assert len(ask(Guard(), main, preemptive=False)) == 4


def test_a_wrong_password_is_tried_once() -> None:
    async def main(session: windtunnel.ClientSession) -> None:
        async with session.get(f"{A}/") as response:
            assert response.status == 401
            assert await response.text() == "out"

    assert len(ask(Guard(), main, password="wrong")) == 2


def test_a_stale_nonce_is_replaced() -> None:
    async def main(session: windtunnel.ClientSession) -> None:
        for _ in range(3):
            assert (await session.get(f"{A}/")).status == 200

    guard = Guard()
    guard.max_uses = 1
    ask(guard, main)
    assert [nonce for nonce, _, _ in guard.seen] == ["n0", "n0", "n1", "n1", "n2"]


def test_a_nonce_that_is_always_stale_is_given_up() -> None:
    async def main(session: windtunnel.ClientSession) -> None:
        assert (await session.get(f"{A}/")).status == 401

    guard = Guard()
    guard.max_uses = 0
    assert len(ask(guard, main)) == 3


def test_the_next_nonce_is_used() -> None:
    async def main(session: windtunnel.ClientSession) -> None:
        for _ in range(3):
            assert (await session.get(f"{A}/")).status == 200

    guard = Guard()
    guard.next_nonce = "n7"
    ask(guard, main)
    assert [(nonce, use) for nonce, use, _ in guard.seen] == [
        ("n0", "00000001"),
        ("n7", "00000001"),
        ("n7", "00000002"),
    ]


def test_credentials_stay_with_their_origin() -> None:
    async def main(session: windtunnel.ClientSession) -> None:
        await session.get(f"{A}/")
        async with session.get(f"{B}/") as response:
            assert response.status == 401

    requests = ask(Guard(), main)
    assert requests[-1].header("Authorization") is None
    assert len(requests) == 3


def test_a_domain_says_where_else_they_hold() -> None:
    async def main(session: windtunnel.ClientSession) -> None:
        for url in (f"{A}/x", f"{A}/other", f"{A}/x/y", f"{B}/z/1", f"{B}/zz"):
            await session.get(url)

    requests = ask(Guard(domain="/x http://b.test/z/"), main)
    signed = [r.target for r in requests if r.header("Authorization")]
    assert signed == ["/x", "/other", "/x/y", "/z/1"]
    assert [r.target for r in requests] == [
        *("/x", "/x", "/other", "/other", "/x/y", "/z/1", "/zz")
    ]


def test_a_file_is_covered_and_sent_again() -> None:
    async def main(session: windtunnel.ClientSession) -> None:
        async with session.put(f"{A}/", data=io.BytesIO(b"file")) as response:
            assert response.status == 200

    requests = ask(Guard(qop="auth-int"), main)
    assert [request.body for request in requests] == [b"file", b"file"]


def test_a_challenge_nobody_can_answer_is_an_error() -> None:
    async def main(session: windtunnel.ClientSession) -> None:
        with pytest.raises(windtunnel.ClientError, match="is none of"):
            await session.get(f"{A}/")

    ask(Guard(algorithm="MD4"), main)


def test_a_server_that_asks_for_nothing_gets_nothing() -> None:
    def free(request: Request) -> Reply:
        return Reply(200, headers={"Authentication-Info": 'nextnonce="n"'})

    async def main(session: windtunnel.ClientSession) -> None:
        await session.get(f"{A}/")

    guard: Any = free
    (request,) = ask(guard, main)
    assert request.header("Authorization") is None


def test_other_schemes_are_left_to_the_caller() -> None:
    def basic(request: Request) -> Reply:
        return Reply(401, headers={"WWW-Authenticate": 'Basic realm="r"'})

    async def main(session: windtunnel.ClientSession) -> None:
        async with session.get(f"{A}/") as response:
            assert response.status == 401

    guard: Any = basic
    assert len(ask(guard, main)) == 1


@pytest.mark.parametrize(
    ("login", "password"), [(None, "p"), ("u", None), ("u:v", "p")]
)
def test_credentials_are_checked(login: str | None, password: str | None) -> None:
    with pytest.raises(ValueError, match="not allowed"):
        windtunnel.DigestAuthMiddleware(login, password)
