"""Drives any client library that has aiohttp's public API, given as a module.

In: the module (``aiohttp`` itself, or ``windtunnel``, which promises the same API) and
a ``RunRequest``. Out: a ``RunResult``. Imports no client: that one promise is what
lets two libraries share a driver, and what this driver therefore tests as well.
"""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any, final

from windtunnel_conformance.adapters.aiohttp_socket import Sockets
from windtunnel_conformance.adapters.base import (
    PROTOCOL_VERSION,
    UnsupportedActionError,
    given_bytes,
    report_bytes,
)
from windtunnel_conformance.adapters.conversation import (
    Conversation,
    pairs,
    text_field,
    timed_chunks,
)
from windtunnel_conformance.adapters.trust import client_context

if TYPE_CHECKING:
    from types import ModuleType

    from windtunnel_conformance.adapters.base import (
        ActionResult,
        Description,
        JsonObject,
        RunRequest,
        RunResult,
    )
    from windtunnel_conformance.adapters.signals import Signals
    from windtunnel_conformance.case import Json

_TIMEOUTS = ("total", "connect", "sock_connect", "sock_read", "ceil_threshold")
_PIECE_BYTES = 64 * 1024


@final
class AiohttpStyleAdapter:
    """A client library with aiohttp's API, in this process and on this loop.

    Args:
        module: The library.
        capabilities: Tags of the corpus that it can be asked for.
    """

    def __init__(self, module: ModuleType, capabilities: tuple[str, ...]) -> None:
        self._module = module
        self._capabilities = capabilities

    async def describe(self) -> Description:
        """Say which library this is and what it can do."""
        version: str = getattr(self._module, "__version__", "")
        return {
            "op": "describe",
            "id": 0,
            "protocol": PROTOCOL_VERSION,
            "client": {
                "name": self._module.__name__,
                "version": version,
                "runtime": f"python {platform.python_version()}",
            },
            "capabilities": list(self._capabilities),
            "unsupported_fields": ["request.timeout.pool"],
            "clock": "virtual",
            "min_timeout_ms": 0,
            "timeout_step_ms": 0,
            "max_parallel": 1,
            "defaults": {"redirects": 10, "decode": True, "keepalive": True},
        }

    async def run(self, request: RunRequest, signals: Signals) -> RunResult:
        """Perform one conversation in one ``ClientSession``."""
        scale = request["scale"]
        async with self._open_session(request) as session:
            driver = _Driver(self._module, session, request)
            conversation = Conversation(driver, signals, scale)
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
                driver.release()
        return {"op": "result", "id": request["id"], "results": conversation.results}

    async def aclose(self) -> None:
        """Nothing outlives a run."""

    def _open_session(self, request: RunRequest) -> Any:
        options = request["session"]
        connector: dict[str, Any] = {}
        if isinstance(limit := options.get("limit"), int):
            connector["limit"] = limit
        if options.get("keepalive") is False:
            connector["force_close"] = True
        arguments: dict[str, Any] = {}
        if options.get("cookies") is False:
            arguments["cookie_jar"] = self._module.DummyCookieJar()
        if options.get("decode") is False:
            arguments["auto_decompress"] = False
        if isinstance(proxy := options.get("proxy"), str):
            arguments["proxy"] = proxy
        if connector or hasattr(self._module, "ThreadedResolver"):
            arguments["connector"] = self._connector(connector)
        return self._module.ClientSession(**arguments)

    def _connector(self, options: dict[str, Any]) -> Any:
        # With aiodns installed the default resolver asks c-ares, past the event loop
        # and so past the simulated names; this one asks the loop.
        if hasattr(self._module, "ThreadedResolver"):
            options["resolver"] = self._module.ThreadedResolver()
        return self._module.TCPConnector(**options)


@final
class _Driver:
    """The verbs of a conversation on one session."""

    def __init__(self, module: ModuleType, session: Any, request: RunRequest) -> None:
        self._module = module
        self._session = session
        self._scale = request["scale"]
        self._redirects = request["session"].get("redirects")
        self._ca_pem = request["env"]["ca_pem"]
        self._open: dict[str, Any] = {}
        self._sockets = Sockets(module, session)
        self._digests: dict[str, Any] = {}

    async def request(
        self, name: str, fields: JsonObject, result: ActionResult
    ) -> None:
        """Send one request; see ``Driver.request``."""
        method, url = text_field(fields, "method"), text_field(fields, "url")
        response = await self._session.request(method, url, **self._arguments(fields))
        result["status"] = response.status
        result["reason"] = response.reason or ""
        if response.version is not None:
            result["http"] = f"{response.version.major}.{response.version.minor}"
        # With its fragment, which ``url`` leaves out.
        result["url"] = str(response.real_url)
        result["history"] = [earlier.status for earlier in response.history]
        result["headers"] = [
            [name, _wire_text(value)] for name, value in response.headers.items()
        ]
        result["raw_headers"] = [
            [name.decode("latin-1"), value.decode("latin-1")]
            for name, value in response.raw_headers
        ]
        if fields.get("stream") is True:
            self._open[name] = response
            return
        async with response:
            if "read_as" in fields:
                await _read_as(fields["read_as"], response, result)
            else:
                await self._read_to_end(response, result)

    async def read(self, name: str, size: int | None, result: ActionResult) -> None:
        """Read from an open response; see ``Driver.read``."""
        response = self._open[name]
        if size is None:
            await self._read_to_end(response, result)
            response.release()
            return
        seen = bytearray()
        while len(seen) < size:
            try:
                piece = await response.content.read(size - len(seen))
            except Exception:
                result["partial"] = report_bytes(bytes(seen))
                raise
            if not piece:
                break
            seen += piece
        result["body"] = report_bytes(bytes(seen))

    async def close(self, name: str, fields: JsonObject, result: ActionResult) -> None:
        """Close an open response or WebSocket; see ``Driver.close``."""
        if name in self._open:
            self._open.pop(name).close()
        else:
            await self._sockets.close(name, fields, result)

    async def websocket(
        self, verb: str, name: str, fields: JsonObject, result: ActionResult
    ) -> None:
        """Use a WebSocket; see ``Driver.websocket``."""
        await self._sockets.perform(verb, name, fields, result)

    def release(self) -> None:
        """Close what the conversation left open."""
        for response in self._open.values():
            response.close()
        self._open.clear()

    async def _read_to_end(self, response: Any, result: ActionResult) -> None:
        seen = bytearray()
        try:
            async for piece in response.content.iter_chunked(_PIECE_BYTES):
                seen += piece
        except Exception:
            result["partial"] = report_bytes(bytes(seen))
            raise
        result["body"] = report_bytes(bytes(seen))

    def _arguments(self, fields: JsonObject) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        if "params" in fields:
            arguments["params"] = pairs(fields["params"])
        if "headers" in fields:
            arguments["headers"] = [
                (name, _given_text(value)) for name, value in pairs(fields["headers"])
            ]
        if "cookies" in fields:
            arguments["cookies"] = pairs(fields["cookies"])
        if isinstance(auth := fields.get("auth"), dict):
            self._authorize(auth, arguments)
        if "timeout" in fields:
            arguments["timeout"] = self._timeout(fields["timeout"])
        if self._redirects is not None:
            arguments.update(_redirect_arguments(self._redirects))
        if self._ca_pem:
            arguments["ssl"] = client_context(self._ca_pem)
        if "decode" in fields:
            arguments["auto_decompress"] = fields["decode"] is not False
        arguments.update(self._body_arguments(fields.get("body")))
        return arguments

    def _authorize(self, auth: JsonObject, arguments: dict[str, Any]) -> None:
        (kind, given), *_ = auth.items()
        login, password = (
            (str(part) for part in given) if isinstance(given, list) else ("", "")
        )
        if kind == "basic":
            value = self._module.encode_basic_auth(login, password)
            field = ("Authorization", value)
            arguments["headers"] = [*arguments.get("headers", ()), field]
            return
        # Kept, because it counts how often it used a nonce.
        digest = self._digests.get(login)
        if digest is None:
            digest = self._module.DigestAuthMiddleware(login, password)
            self._digests[login] = digest
        arguments["middlewares"] = (digest,)

    def _body_arguments(self, body: Json) -> dict[str, Any]:
        match body:
            case {"multipart": list(parts)}:
                return {"data": self._form(parts)}
            case _:
                return _body_arguments(body, self._scale)

    def _form(self, parts: list[Json]) -> Any:
        form = self._module.FormData(default_to_multipart=True)
        for part in parts:
            assert isinstance(part, dict)
            content = given_bytes(part["content"])
            if "filename" in part:
                form.add_field(
                    part["name"],
                    content,
                    filename=part["filename"],
                    content_type=part.get("type"),
                )
            else:
                form.add_field(part["name"], content.decode())
        return form

    def _timeout(self, value: Json) -> Any:
        given = value if isinstance(value, dict) else {"total": value}
        if unknown := sorted(set(given) - set(_TIMEOUTS)):
            raise UnsupportedActionError(f"timeout {unknown[0]} cannot be set")
        scaled = {
            key: seconds * self._scale if isinstance(seconds, (int, float)) else None
            for key, seconds in given.items()
        }
        return self._module.ClientTimeout(**scaled)


async def _read_as(kind: Json, response: Any, result: ActionResult) -> None:
    result["body"] = report_bytes(await response.read())
    if kind == "json":
        result["json"] = await response.json()
    else:
        result["text"] = await response.text()


def _redirect_arguments(limit: Json) -> dict[str, Any]:
    if isinstance(limit, int) and limit > 0:
        return {"allow_redirects": True, "max_redirects": limit}
    return {"allow_redirects": False}


def _body_arguments(body: Json, scale: float) -> dict[str, Any]:
    match body:
        case None:
            return {}
        case {"text": str(text)}:
            return {"data": text}
        case {"bytes": value}:
            return {"data": given_bytes(value)}
        case {"json": value}:
            return {"json": value}
        case {"form": value}:
            return {"data": pairs(value)}
        case {"chunks": parts}:
            return {"data": timed_chunks(parts, scale)}
        case _:
            raise UnsupportedActionError(f"body {str(body)[:40]!r} cannot be sent")


def _given_text(text: str) -> str:
    # The library encodes field values as UTF-8 with surrogate escapes; the case means
    # one byte a character.
    return text.encode("latin-1").decode("utf-8", "surrogateescape")


def _wire_text(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("latin-1")
