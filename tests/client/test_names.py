"""Names can be imported from where users of the compatible API import them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from importlib import import_module
from typing import Any
from unittest import mock

import aiohttp
import pytest

import windtunnel

# What is not offered: the server's half, and the engine that stands behind the names.
NOT_OFFERED = {
    "abc": set[str](),
    "client": set[str](),
    "client_exceptions": set[str](),
    "client_middleware_digest_auth": set[str](),
    "client_middlewares": set[str](),
    "client_proto": set[str](),
    "client_reqrep": set[str](),
    "client_ws": set[str](),
    "connector": set[str](),
    "cookiejar": set[str](),
    "formdata": set[str](),
    "helpers": {"reify"},
    "http": {
        "HeadersParser",
        "HttpParser",
        "HttpRequestParser",
        "HttpResponseParser",
        "RawRequestMessage",
        "RawResponseMessage",
        "StreamWriter",
        "WSMessageDecodeText",
        "WSMessageNoDecodeText",
        "WebSocketReader",
        "WebSocketWriter",
        "ws_ext_gen",
        "ws_ext_parse",
    },
    "http_exceptions": set[str](),
    "http_websocket": {
        "WSHandshakeError",
        "WSMessageDecodeText",
        "WSMessageNoDecodeText",
        "WebSocketReader",
        "WebSocketWriter",
        "ws_ext_gen",
        "ws_ext_parse",
    },
    "multipart": set[str](),
    "payload": set[str](),
    "resolver": set[str](),
    "streams": set[str](),
    "tracing": set[str](),
    "typedefs": set[str](),
}
MODULES = sorted(NOT_OFFERED)

# What users import although the compatible module does not list it.
UNLISTED = {
    "abc": {"AbstractCookieJar", "AbstractResolver", "ResolveResult"},
    "client": {"DEFAULT_TIMEOUT"},
    "client_exceptions": {"TooManyRedirects", "UnixClientConnectorError"},
    "client_middleware_digest_auth": {"DigestAuthMiddleware"},
    "client_proto": {"ResponseHandler"},
    "client_reqrep": {"ConnectionKey", "ContentDisposition", "UploadTracker"},
    "client_ws": {
        "DEFAULT_WS_CLIENT_TIMEOUT",
        "ClientWSTimeout",
        "ClientWebSocketResponse",
    },
    "helpers": {"TimerNoop", "encode_basic_auth", "sentinel"},
    "http_exceptions": {
        "BadHttpMessage",
        "BadStatusLine",
        "ContentLengthError",
        "LineTooLong",
        "TransferEncodingError",
    },
    "multipart": {"BodyPartReaderPayload", "MultipartResponseWrapper"},
    "payload": {"LookupError", "Order", "PayloadRegistry", "StreamReaderPayload"},
    "streams": {"AsyncStreamIterator", "EmptyStreamReader", "FlowControlDataQueue"},
    "typedefs": {
        "DEFAULT_JSON_DECODER",
        "DEFAULT_JSON_ENCODER",
        "JSONDecoder",
        "JSONEncoder",
        "LooseCookies",
        "LooseHeaders",
        "PathLike",
        "Query",
        "RawHeaders",
        "StrOrURL",
    },
}


def offered(module: str) -> dict[str, Any]:
    ours = import_module(f"windtunnel.{module}")
    names = getattr(ours, "__all__", ()) or [
        name for name in vars(ours) if not name.startswith("_")
    ]
    return {name: getattr(ours, name) for name in names}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_offers_what_the_compatible_one_lists(module: str) -> None:
    theirs = import_module(f"aiohttp.{module}")
    listed = set(getattr(theirs, "__all__", ()))
    missing = listed - set(offered(module))
    assert missing == NOT_OFFERED[module]


@pytest.mark.parametrize("module", sorted(UNLISTED))
def test_a_module_offers_what_users_import_from_it(module: str) -> None:
    assert UNLISTED[module] - set(offered(module)) == set()
    theirs = import_module(f"aiohttp.{module}")
    assert {name for name in UNLISTED[module] if not hasattr(theirs, name)} == set()


@pytest.mark.parametrize("module", MODULES)
def test_a_name_is_the_same_object_wherever_it_is_imported_from(module: str) -> None:
    others = {
        name: value
        for name, value in offered(module).items()
        if name in windtunnel.__all__ and value is not getattr(windtunnel, name)
    }
    assert others == {}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_there_without_an_import_of_its_own(module: str) -> None:
    program = (
        "import sys, windtunnel\n"
        f"print(windtunnel.{module}.__name__, {module!r} in dir(windtunnel))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [f"windtunnel.{module}", "True"]


def test_modules_of_names_cost_nothing_until_they_are_used() -> None:
    program = "import sys, windtunnel; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert loaded & {f"windtunnel.{module}" for module in MODULES} == set()


def test_every_listed_name_of_the_package_exists_and_a_wrong_one_is_refused() -> None:
    assert [name for name in windtunnel.__all__ if not hasattr(windtunnel, name)] == []
    assert set(windtunnel.__all__) <= set(dir(windtunnel))
    with pytest.raises(AttributeError, match="no attribute 'web'"):
        _ = windtunnel.web  # type: ignore[attr-defined]  # that is the point


def test_constants_have_the_values_of_the_compatible_ones() -> None:
    assert (
        windtunnel.ClientTimeout(total=300, sock_connect=30)
        == windtunnel.client.DEFAULT_TIMEOUT
    )
    assert windtunnel.client_ws.DEFAULT_WS_CLIENT_TIMEOUT.ws_close == 10
    assert windtunnel.http.WS_KEY == aiohttp.http.WS_KEY
    assert windtunnel.http.RESPONSES == aiohttp.http.RESPONSES
    assert windtunnel.http.SERVER_SOFTWARE.startswith("Python/")
    assert tuple(windtunnel.http.WS_CLOSED_MESSAGE) == tuple(
        aiohttp.http.WS_CLOSED_MESSAGE
    )
    assert tuple(windtunnel.http.WS_CLOSING_MESSAGE) == tuple(
        aiohttp.http.WS_CLOSING_MESSAGE
    )


def test_middlewares_are_put_around_a_handler_in_their_order() -> None:
    seen: list[str] = []

    def named(name: str) -> windtunnel.ClientMiddlewareType:
        async def middleware(
            request: windtunnel.ClientRequest, handler: windtunnel.ClientHandlerType
        ) -> windtunnel.ClientResponse:
            seen.append(name)
            return await handler(request)

        return middleware

    async def send(request: windtunnel.ClientRequest) -> windtunnel.ClientResponse:
        seen.append("sent")
        return mock.Mock(spec=windtunnel.ClientResponse)

    async def main() -> None:
        build = windtunnel.client_middlewares.build_client_middlewares
        handler = build(send, (named("outer"), named("inner")))
        await handler(mock.Mock(spec=windtunnel.ClientRequest))

    asyncio.run(main())
    assert seen == ["outer", "inner", "sent"]
