"""What middlewares may change takes effect, and classes of one's own are used."""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from yarl import URL

import windtunnel
from windtunnel._base.compat import override
from windtunnel_fakeserver import Reply, Tunnel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from windtunnel_fakeserver import Request

A = "http://a.test"
Asked = windtunnel.ClientRequest
Handler = windtunnel.ClientHandlerType


def answer(request: Request) -> Reply:
    if request.path == "/moved":
        return Reply(307, headers={"Location": "/there"})
    return Reply(200, text=request.target)


def change(
    method: str,
    what: Callable[[Asked], object],
    url: str = A,
    session: dict[str, Any] | None = None,
    **call: Any,
) -> list[Request]:
    """Send a request that a middleware changes; what the host got."""
    tunnel = Tunnel()
    tunnel.host(A, app=answer)
    tunnel.host("https://a.test", app=answer)

    async def middleware(request: Asked, handler: Handler) -> windtunnel.ClientResponse:
        result = what(request)
        if asyncio.iscoroutine(result):
            await result
        return await handler(request)

    async def program(tunnel: Tunnel) -> None:
        async with (
            windtunnel.ClientSession(
                middlewares=[middleware], **session or {}
            ) as opened,
            opened.request(method, url, **call) as response,
        ):
            await response.read()

    tunnel.run(program)
    return [exchange.request for exchange in tunnel.journal]


def put(**values: Any) -> Callable[[Asked], None]:
    def what(request: Asked) -> None:
        for name, value in values.items():
            setattr(request, name, value)

    return what


async def pieces() -> AsyncIterator[bytes]:
    yield b"abcd"


def test_compression_can_be_turned_on_and_off() -> None:
    (request,) = change("POST", put(compress="gzip"), data=b"body")
    assert request.header("Content-Encoding") == "gzip"
    assert zlib.decompress(request.body, 31) == b"body"

    def off(asked: Asked) -> None:
        asked.compress = None
        asked.chunked = None
        del asked.headers["Content-Encoding"]

    (request,) = change("POST", off, data=b"body", compress="gzip")
    assert request.header("Transfer-Encoding") is None
    assert (request.header("Content-Length"), request.body) == ("4", b"body")


def test_the_chunked_coding_can_be_turned_on_and_off() -> None:
    (request,) = change("POST", put(chunked=True), data=b"body")
    assert request.header("Transfer-Encoding") == "chunked"
    assert request.header("Content-Length") is None
    (request,) = change("POST", put(chunked=False), data=b"body", chunked=True)
    assert request.header("Transfer-Encoding") is None
    assert request.header("Content-Length") == "4"


def test_the_version_can_be_changed() -> None:
    (request,) = change(
        "POST", lambda asked: asked.update_version("1.0"), data=pieces()
    )
    assert request.raw.startswith(b"POST / HTTP/1.0\r\n")
    assert (request.header("Content-Length"), request.body) == ("4", b"abcd")


def test_the_proxy_can_be_changed() -> None:
    def by_proxy(asked: Asked) -> None:
        asked.update_proxy("http://proxy.test:3128", None, {"Proxy-Authorization": "x"})

    tunnel = Tunnel()
    tunnel.host("http://proxy.test:3128", app=answer)

    async def middleware(request: Asked, handler: Handler) -> windtunnel.ClientResponse:
        by_proxy(request)
        assert request.connection_key.proxy is not None
        return await handler(request)

    async def program(tunnel: Tunnel) -> None:
        async with (
            windtunnel.ClientSession(middlewares=[middleware]) as session,
            session.get(f"{A}/x") as response,
        ):
            assert response.status == 200

    tunnel.run(program)
    (exchange,) = tunnel.journal
    assert exchange.request.target == f"{A}/x"
    assert exchange.request.header("Proxy-Authorization") == "x"


def test_verification_and_the_name_of_a_certificate_can_be_changed() -> None:
    seen: list[object] = []

    def unverified(asked: Asked) -> None:
        seen.append(asked.ssl)
        asked.ssl = False
        asked.server_hostname = "other.test"

    (request,) = change("GET", unverified, url="https://a.test/")
    assert seen == [True]
    assert request.path == "/"


def test_expecting_can_be_added() -> None:
    def expect(asked: Asked) -> None:
        asked.update_expect_continue(True)

    (request,) = change("POST", expect, data=b"body")
    assert request.header("Expect") == "100-continue"
    assert request.body == b"body"


def test_a_changed_url_brings_its_host_and_credentials() -> None:
    (request,) = change("GET", put(url=URL("http://u:p@a.test/new")), url=f"{A}/old#f")
    assert request.path == "/new"
    assert request.header("Authorization") == windtunnel.encode_basic_auth("u", "p")


def test_a_redirect_sends_the_changed_body_again() -> None:
    async def replace(asked: Asked) -> None:
        await asked.update_body(asked.body if asked.body != b"" else b"")
        if asked.url.path == "/moved":
            await asked.update_body(b"changed")

    first, second = change("POST", replace, url=f"{A}/moved", json=[1])
    assert (first.body, second.body) == (b"changed", b"changed")
    assert first.header("Content-Type") == "application/json"


def test_assigning_the_body_warns_if_a_file_may_stay_open(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100000)

    def assign(asked: Asked) -> None:
        with pytest.warns(ResourceWarning, match="update_body"):
            asked.body = b"new"

    with path.open("rb") as file:
        (request,) = change("POST", assign, data=file)
    assert request.body == b"new"


# --- the constructor ----------------------------------------------------------------


def test_the_constructor_takes_what_that_of_the_compatible_api_takes() -> None:
    with pytest.warns(DeprecationWarning, match="BasicAuth"):
        auth = windtunnel.BasicAuth("l", "p")
    request = Asked(
        "post",
        URL("http://u:p@a.test:81/x?a=1#f"),
        params={"b": "2"},
        headers={"X": "1", "Cookie": "z=1"},
        skip_auto_headers=["user-agent"],
        data={"a": "b"},
        cookies={"c": "2"},
        auth=auth,
        version="1.1",
        proxy="http://proxy.test/",
        proxy_auth=auth,
        proxy_headers={"P": "1"},
        expect100=True,
        server_hostname="name",
    )
    assert (request.method, str(request.url)) == ("POST", "http://a.test:81/x?a=1&b=2")
    assert str(request.original_url) == "http://a.test:81/x?a=1&b=2#f"
    assert request.headers["Cookie"] == "c=2; z=1"
    assert request.headers["Authorization"] == auth.encode()
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.headers["Expect"] == "100-continue"
    assert request.auth is not None
    assert request.auth.login == "u"
    assert (request.host, request.port, request.is_ssl()) == ("a.test", 81, False)
    assert (request.proxy, request.proxy_auth) == (URL("http://proxy.test/"), auth)
    assert request.proxy_headers == {"P": "1"}
    assert "User-Agent" in request.skip_auto_headers
    assert request.response_class is windtunnel.ClientResponse
    assert request.response is None
    key = request.connection_key
    assert (key.host, key.port, key.server_hostname) == ("a.test", 81, "name")
    info = request.request_info
    assert (info.method, info.real_url) == ("POST", request.original_url)


@pytest.mark.parametrize(
    ("arguments", "options", "error"),
    [
        pytest.param(("G T", A), {}, ValueError, id="method"),
        pytest.param(("GET", "/x"), {}, windtunnel.InvalidURL, id="url"),
        pytest.param(("GET", A), {"version": "x"}, ValueError, id="version"),
        pytest.param(("GET", A), {"auth": ("a", "b")}, TypeError, id="auth"),
        pytest.param(("GET", A), {"proxy_auth": 5}, ValueError, id="proxy-auth"),
        pytest.param(("GET", A), {"proxy": "x"}, windtunnel.InvalidURL, id="proxy"),
    ],
)
def test_the_constructor_refuses(
    arguments: tuple[str, str], options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        Asked(*arguments, **options)


def test_what_the_classes_of_methods_are() -> None:
    assert {"GET", "HEAD", "OPTIONS", "TRACE"} == Asked.GET_METHODS
    assert {"POST", "PUT", "PATCH"} == Asked.POST_METHODS
    assert Asked.GET_METHODS | Asked.POST_METHODS | {"DELETE"} == Asked.ALL_METHODS


# --- classes of one's own -----------------------------------------------------------


class Own(windtunnel.ClientRequest):
    DEFAULT_HEADERS: ClassVar[Mapping[str, str]] = {"X-Own": "1"}

    @override
    def update_auto_headers(self, skip_auto_headers: Any) -> None:
        super().update_auto_headers(skip_auto_headers)
        self.headers["X-Late"] = "2"


class OwnResponse(windtunnel.ClientResponse):
    @override
    async def start(self, connection: Any) -> OwnResponse:
        await super().start(connection)
        self.remark = f"{self.status} {self.url.path}"
        return self


def test_a_request_class_and_a_response_class_are_used() -> None:
    given: list[windtunnel.ClientResponse] = []

    async def keep(request: Asked, handler: Handler) -> windtunnel.ClientResponse:
        assert isinstance(request, Own)
        given.append(await handler(request))
        assert request.response is given[-1]
        return given[-1]

    tunnel = Tunnel()
    tunnel.host(A, app=answer)

    async def program(tunnel: Tunnel) -> None:
        async with windtunnel.ClientSession(
            request_class=Own, response_class=OwnResponse, middlewares=[keep]
        ) as session:
            async with session.get(f"{A}/moved") as response:
                assert isinstance(response, OwnResponse)
                assert response is given[-1]
                assert response.remark == "200 /there"
                assert await response.text() == "/there"
            assert all(isinstance(each, OwnResponse) for each in response.history)

    tunnel.run(program)
    request = tunnel.journal[0].request
    assert (request.header("X-Own"), request.header("X-Late")) == ("1", "2")
    assert request.header("Accept") is None


# --- time and status ----------------------------------------------------------------


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_the_time_in_middlewares_counts(is_after: bool) -> None:
    async def slow(request: Asked, handler: Handler) -> windtunnel.ClientResponse:
        response = await handler(request) if is_after else None
        await asyncio.sleep(5)
        return response or await handler(request)

    tunnel = Tunnel()
    tunnel.host(A, app=answer)

    async def program(tunnel: Tunnel) -> None:
        limits = windtunnel.ClientTimeout(total=2)
        async with windtunnel.ClientSession(middlewares=[slow]) as session:
            started = asyncio.get_running_loop().time()
            with pytest.raises(windtunnel.TotalTimeoutError, match="running middle"):
                await session.get(A, timeout=limits)
            assert asyncio.get_running_loop().time() - started == pytest.approx(2)

    tunnel.run(program)


def test_a_timeout_of_a_middlewares_own_stays_its_own() -> None:
    async def fail(request: Asked, handler: Handler) -> windtunnel.ClientResponse:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        change("GET", put(), session={}, middlewares=[fail])


@pytest.mark.parametrize("form", ["bool", "function", "truthy"])
def test_a_refused_status_is_a_failure_for_those_who_watch(form: str) -> None:
    told: list[str] = []

    async def check(response: windtunnel.ClientResponse) -> None:
        told.append(f"checked {response.status}")
        response.raise_for_status()

    async def hear(session: Any, context: Any, params: Any) -> None:
        told.append(type(params).__name__)

    forms: dict[str, Any] = {"bool": True, "function": check, "truthy": 1}
    tunnel = Tunnel()
    tunnel.host(A, app=lambda _: Reply(404))

    async def program(tunnel: Tunnel) -> None:
        trace = windtunnel.TraceConfig()
        trace.on_request_end.append(hear)
        trace.on_request_exception.append(hear)
        async with windtunnel.ClientSession(trace_configs=[trace]) as session:
            with pytest.raises(windtunnel.ClientResponseError, match="404"):
                await session.get(A, raise_for_status=forms[form])
            assert (await session.get(A, raise_for_status=False)).status == 404

    tunnel.run(program)
    checked = ["checked 404"] if form == "function" else []
    assert told == [*checked, "TraceRequestExceptionParams", "TraceRequestEndParams"]
