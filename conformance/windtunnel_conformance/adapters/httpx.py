"""The httpx adapter: ``httpx.AsyncClient`` in this process.

In: a ``RunRequest``. Out: a ``RunResult``. httpx has no total timeout and no timer
rounding; what it cannot express is ``unsupported``, not a failure.
"""

from __future__ import annotations

import importlib.util
import platform
import sys
from typing import TYPE_CHECKING, Any, cast, final

import httpx

from windtunnel_conformance.adapters.base import (
    PROTOCOL_VERSION,
    UnsupportedActionError,
    given_bytes,
    report_bytes,
)
from windtunnel_conformance.adapters.codings import with_codings
from windtunnel_conformance.adapters.conversation import (
    Conversation,
    pairs,
    text_field,
    timed_chunks,
)
from windtunnel_conformance.adapters.trust import client_context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from windtunnel_conformance.adapters.base import (
        ActionResult,
        Adapter,
        Description,
        JsonObject,
        RunRequest,
        RunResult,
    )
    from windtunnel_conformance.adapters.signals import Signals
    from windtunnel_conformance.case import Json

_CAPABILITIES = (
    "auth.basic",
    "auth.digest",
    "clock.virtual",
    "cookies",
    "decode.deflate",
    "decode.gzip",
    "keepalive",
    "multipart",
    "named-hosts",
    "proxy",
    "redirects",
    "stream",
    "timeout.pool",
    "timeout.sock_connect",
    "timeout.sock_read",
    "tls",
)
_TIMEOUTS = {"sock_connect": "connect", "sock_read": "read", "pool": "pool"}


def create() -> Adapter:
    """Make the adapter; called by the catalogue."""
    _settle_optional_import("sniffio")
    return HttpxAdapter()


def _settle_optional_import(name: str) -> None:
    # httpcore tries this import several times a request. Where it fails, each try
    # searches the whole path, which is half of the time of a run; None in the table
    # makes it fail at once, with the same exception.
    if importlib.util.find_spec(name) is None:
        modules = cast("dict[str, object]", sys.modules)
        modules[name] = None


@final
class HttpxAdapter:
    """httpx, in this process and on this loop."""

    async def describe(self) -> Description:
        """Say which httpx this is and what it can do."""
        return {
            "op": "describe",
            "id": 0,
            "protocol": PROTOCOL_VERSION,
            "client": {
                "name": "httpx",
                "version": httpx.__version__,
                "runtime": f"python {platform.python_version()}",
            },
            "capabilities": list(
                with_codings(_CAPABILITIES, br="brotli brotlicffi", zstd="zstandard")
            ),
            "unsupported_fields": [
                "request.timeout.total",
                "request.timeout.connect",
                "request.timeout.ceil_threshold",
            ],
            "clock": "virtual",
            "min_timeout_ms": 0,
            "timeout_step_ms": 0,
            "max_parallel": 1,
            "defaults": {"redirects": 0, "decode": True, "keepalive": True},
        }

    async def run(self, request: RunRequest, signals: Signals) -> RunResult:
        """Perform one conversation in one ``AsyncClient``."""
        async with _open_client(request) as client:
            driver = _Driver(client, request)
            conversation = Conversation(driver, signals, request["scale"])
            try:
                await conversation.play(request["actions"])
            except UnsupportedActionError as exc:
                return {
                    "op": "result",
                    "id": request["id"],
                    "results": {},
                    "unsupported": str(exc),
                }
            finally:
                await driver.release()
        return {"op": "result", "id": request["id"], "results": conversation.results}

    async def aclose(self) -> None:
        """Nothing outlives a run."""


def _open_client(request: RunRequest) -> httpx.AsyncClient:
    options = request["session"]
    limits = httpx.Limits(
        max_connections=limit
        if isinstance(limit := options.get("limit"), int)
        else 100,
        max_keepalive_connections=0 if options.get("keepalive") is False else 20,
    )
    redirects = options.get("redirects")
    follow = redirects is None or (isinstance(redirects, int) and redirects > 0)
    return httpx.AsyncClient(
        verify=client_context(request["env"]["ca_pem"]),
        trust_env=False,
        limits=limits,
        follow_redirects=follow,
        max_redirects=redirects if isinstance(redirects, int) else 20,
        proxy=proxy if isinstance(proxy := options.get("proxy"), str) else None,
    )


@final
class _Driver:
    """The verbs of a conversation on one client."""

    def __init__(self, client: httpx.AsyncClient, request: RunRequest) -> None:
        self._client = client
        self._scale = request["scale"]
        self._cookies = request["session"].get("cookies") is not False
        self._decode = request["session"].get("decode") is not False
        self._open: dict[str, _Streamed] = {}
        self._digests: dict[str, httpx.DigestAuth] = {}

    async def request(
        self, name: str, fields: JsonObject, result: ActionResult
    ) -> None:
        """Send one request; see ``Driver.request``."""
        if not self._cookies:
            self._client.cookies.clear()
        outgoing = self._client.build_request(
            text_field(fields, "method"),
            text_field(fields, "url"),
            **self._arguments(fields),
        )
        response = await self._client.send(
            outgoing, stream=True, auth=self._credentials(fields.get("auth"))
        )
        result["status"] = response.status_code
        result["reason"] = response.reason_phrase
        result["http"] = response.http_version.removeprefix("HTTP/")
        result["url"] = str(response.url)
        result["history"] = [earlier.status_code for earlier in response.history]
        result["raw_headers"] = [
            [name.decode("latin-1"), value.decode("latin-1")]
            for name, value in response.headers.raw
        ]
        result["headers"] = result["raw_headers"]
        decode = fields.get("decode", self._decode) is not False
        streamed = _Streamed(response, decode=decode)
        if fields.get("stream") is True:
            self._open[name] = streamed
            return
        try:
            if "read_as" in fields:
                await _read_as(fields["read_as"], response, result)
            else:
                await streamed.read(None, result)
        finally:
            await response.aclose()

    async def read(self, name: str, size: int | None, result: ActionResult) -> None:
        """Read from an open response; see ``Driver.read``."""
        await self._open[name].read(size, result)

    async def close(self, name: str, fields: JsonObject, result: ActionResult) -> None:
        """Close an open response; see ``Driver.close``."""
        del fields, result
        await self._open.pop(name).response.aclose()

    async def websocket(
        self, verb: str, name: str, fields: JsonObject, result: ActionResult
    ) -> None:
        """Refuse; httpx has no WebSocket."""
        raise UnsupportedActionError(f"{verb}: httpx speaks no WebSocket")

    async def release(self) -> None:
        """Close what the conversation left open."""
        for streamed in self._open.values():
            await streamed.response.aclose()
        self._open.clear()

    def _credentials(self, auth: Json) -> httpx.Auth | None:
        match auth:
            case {"basic": [str(login), str(password)]}:
                return httpx.BasicAuth(login, password)
            case {"digest": [str(login), str(password)]}:
                # Kept, because it counts how often it used a nonce.
                found = self._digests.get(login)
                if found is None:
                    found = self._digests[login] = httpx.DigestAuth(login, password)
                return found
            case _:
                return None

    def _arguments(self, fields: JsonObject) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        if "cookies" in fields:
            arguments["cookies"] = dict(pairs(fields["cookies"]))
        if "params" in fields:
            arguments["params"] = pairs(fields["params"])
        if "headers" in fields:
            arguments["headers"] = [
                (name.encode("latin-1"), value.encode("latin-1"))
                for name, value in pairs(fields["headers"])
            ]
        if "timeout" in fields:
            arguments["timeout"] = self._timeout(fields["timeout"])
        arguments.update(_body_arguments(fields.get("body"), self._scale))
        return arguments

    def _timeout(self, value: Json) -> httpx.Timeout:
        given = value if isinstance(value, dict) else {"total": value}
        if unknown := sorted(set(given) - set(_TIMEOUTS)):
            raise UnsupportedActionError(f"timeout {unknown[0]} cannot be set")
        scaled: dict[str, float | None] = {
            _TIMEOUTS[key]: seconds * self._scale
            if isinstance(seconds, (int, float))
            else None
            for key, seconds in given.items()
        }
        return httpx.Timeout(None, **scaled)


@final
class _Streamed:
    """A response whose body is handed out in the sizes the case asks for."""

    def __init__(self, response: httpx.Response, *, decode: bool) -> None:
        self.response = response
        self._pieces: AsyncIterator[bytes] = (
            response.aiter_bytes() if decode else response.aiter_raw()
        )
        self._ahead = bytearray()

    async def read(self, size: int | None, result: ActionResult) -> None:
        """Report ``size`` bytes, or all, as ``body``; on failure as ``partial``."""
        try:
            while size is None or len(self._ahead) < size:
                self._ahead += await anext(self._pieces)
        except StopAsyncIteration:
            pass
        except Exception:
            result["partial"] = report_bytes(bytes(self._ahead))
            raise
        taken = bytes(self._ahead if size is None else self._ahead[:size])
        del self._ahead[: len(taken)]
        result["body"] = report_bytes(taken)


async def _read_as(kind: Json, response: httpx.Response, result: ActionResult) -> None:
    result["body"] = report_bytes(await response.aread())
    if kind == "json":
        result["json"] = response.json()
    else:
        result["text"] = response.text


def _body_arguments(body: Json, scale: float) -> dict[str, Any]:
    match body:
        case None:
            return {}
        case {"text": str(text)}:
            return {"content": text}
        case {"bytes": value}:
            return {"content": given_bytes(value)}
        case {"json": value}:
            return {"json": value}
        case {"form": value}:
            fields: dict[str, list[str]] = {}
            for name, text in pairs(value):
                fields.setdefault(name, []).append(text)
            return {"data": fields}
        case _:
            return _body_of_parts(body, scale)


def _body_of_parts(body: Json, scale: float) -> dict[str, Any]:
    match body:
        case {"chunks": parts}:
            return {"content": timed_chunks(parts, scale)}
        case {"multipart": list(parts)}:
            return {"files": [_part(part) for part in parts]}
        case _:
            raise UnsupportedActionError(f"body {str(body)[:40]!r} cannot be sent")


def _part(part: Json) -> tuple[str, Any]:
    if not isinstance(part, dict):
        raise TypeError(f"part {str(part)[:40]!r} is not an object")
    content = given_bytes(part["content"])
    if "filename" not in part:
        return text_field(part, "name"), (None, content)
    name = text_field(part, "filename")
    if "type" in part:
        return text_field(part, "name"), (name, content, text_field(part, "type"))
    return text_field(part, "name"), (name, content)
