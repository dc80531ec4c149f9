"""The operations that are interrupted and disturbed: everything that a client awaits.

Each is a row of the table: what to do before, what is interrupted, and what must hold
afterwards.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Any, NamedTuple

import pytest

import windtunnel
from tests.client.faults.scene import (
    DEAF,
    EARLY,
    FORWARD,
    LINES,
    PROXY,
    SECURE,
    SECURE_PROXY,
    SLOW_NAME,
    SOCKET,
    TWO_ADDRESSES,
    A,
    Scene,
)

Part = Callable[[Scene], Coroutine[Any, Any, object]]


async def _nothing(scene: Scene) -> None:
    """There is nothing to do."""


class Operation(NamedTuple):
    """Something that a client does.

    Attributes:
        name: For the test.
        work: What is interrupted.
        before: What is done first.
        after: What is done after the interruption, which must work.
        limit: Places of the pool.
        session: Options of the session.
        connector: Options of the connector.
        ends: Whether the session is over afterwards.
    """

    name: str
    work: Part
    before: Part = _nothing
    after: Part = _nothing
    limit: int = 1
    session: Callable[[], dict[str, Any]] = dict
    connector: Mapping[str, Any] = {}
    ends: bool = False


# --- reading ------------------------------------------------------------------------


async def _get(scene: Scene) -> None:
    assert await scene.get(A) == b"ok"


async def _get_tls(scene: Scene) -> None:
    assert await scene.get(SECURE) == b"ok"


async def _read(scene: Scene) -> None:
    async with scene.session.get(f"{A}/lines") as response:
        assert await response.content.read() == b"".join(LINES)


async def _readline(scene: Scene) -> None:
    async with scene.session.get(f"{A}/lines") as response:
        assert [line async for line in response.content] == list(LINES)


async def _iter_chunked(scene: Scene) -> None:
    async with scene.session.get(f"{SECURE}/lines") as response:
        pieces = [piece async for piece in response.content.iter_chunked(2)]
        assert b"".join(pieces) == b"".join(LINES)


async def _iter_chunks(scene: Scene) -> None:
    async with scene.session.get(f"{A}/lines") as response:
        pieces = [piece async for piece, _ in response.content.iter_chunks()]
        assert b"".join(pieces) == b"".join(LINES)


async def _readexactly(scene: Scene) -> None:
    async with scene.session.get(f"{A}/lines") as response:
        assert await response.content.readexactly(8) == b"one\ntwo\n"


async def _leave(scene: Scene) -> None:
    response = await scene.session.get(f"{A}/lines")
    await response.release()
    await response.wait_for_close()


# --- sending ------------------------------------------------------------------------


async def _post(scene: Scene, data: Any, url: str = A) -> None:
    async with scene.session.post(url, data=data) as response:
        assert await response.read() == b"taken"


async def _post_bytes(scene: Scene) -> None:
    await _post(scene, bytes(300_000))


async def _post_when_asked(scene: Scene) -> None:
    async with scene.session.post(A, data=b"x", expect100=True) as response:
        assert await response.read() == b"taken"


async def _post_much_when_asked(scene: Scene) -> None:
    async with scene.session.post(A, data=bytes(300_000), expect100=True) as response:
        assert await response.read() == b"taken"


async def _post_early_answer(scene: Scene) -> None:
    async with scene.session.post(EARLY, data=bytes(900_000)) as response:
        assert response.status == 413


async def _post_bytes_tls(scene: Scene) -> None:
    await _post(scene, bytes(300_000), SECURE)


async def _post_generator(scene: Scene) -> None:
    async def generate() -> AsyncIterator[bytes]:
        try:
            for _ in range(3):
                await asyncio.sleep(1)
                yield b"x" * 1000
        finally:
            scene.kept["generator closed"] = True

    await _post(scene, generate())


async def _generator_is_closed(scene: Scene) -> None:
    # One that never began has nothing to close.
    assert scene.kept.get("generator closed", True)


class _File(io.BytesIO):
    """A file in memory that is not taken for bytes."""


async def _open_file(scene: Scene) -> None:
    scene.kept["file"] = io.BufferedReader(_File(b"line\n" * 40_000))


async def _open_files(scene: Scene) -> None:
    await _open_file(scene)
    scene.kept["second"] = io.BufferedReader(_File(b"second"))


async def _post_file(scene: Scene) -> None:
    await _post(scene, scene.kept["file"])


async def _post_multipart(scene: Scene) -> None:
    form = windtunnel.FormData({"name": "value"})
    form.add_field("file", scene.kept["file"], filename="f")
    form.add_field("second", scene.kept["second"], filename="s")
    await _post(scene, form)


async def _file_is_closed(scene: Scene) -> None:
    # A thread may be reading it still.
    await asyncio.sleep(1)
    assert scene.kept["file"].closed
    assert "second" not in scene.kept or scene.kept["second"].closed


# --- ways ---------------------------------------------------------------------------


async def _redirects(scene: Scene) -> None:
    assert await scene.get(f"{A}/hop") == b"ok"


async def _via_proxy(scene: Scene) -> None:
    assert await scene.get(A, proxy=FORWARD) == b"ok"


async def _via_tunnel(scene: Scene) -> None:
    assert await scene.get(SECURE, proxy=PROXY) == b"ok"


async def _tls_in_tls(scene: Scene) -> None:
    assert await scene.get(SECURE, proxy=SECURE_PROXY) == b"ok"


async def _two_addresses(scene: Scene) -> None:
    assert await scene.get(TWO_ADDRESSES) == b"ok"


async def _hold(scene: Scene) -> None:
    scene.kept["held"] = await scene.session.get(f"{A}/lines")


async def _unhold(scene: Scene) -> None:
    assert await scene.kept["held"].read() == b"".join(LINES)


async def _look_up(scene: Scene) -> None:
    assert await scene.get(SLOW_NAME) == b"ok"


async def _look_up_first(scene: Scene) -> None:
    scene.kept["other"] = asyncio.create_task(scene.get(SLOW_NAME))
    await asyncio.sleep(0.5)


async def _look_up_soon(scene: Scene) -> None:
    async def soon() -> bytes:
        await asyncio.sleep(0.001)
        return await scene.get(SLOW_NAME)

    scene.kept["other"] = asyncio.create_task(soon())


async def _other_is_served(scene: Scene) -> None:
    assert await scene.kept["other"] == b"ok"


async def _digest(scene: Scene) -> None:
    assert await scene.get(f"{A}/guarded") == b"in"


def _with_digest() -> dict[str, Any]:
    return {"middlewares": [windtunnel.DigestAuthMiddleware("me", "secret")]}


async def _slow_middleware(
    request: windtunnel.ClientRequest, handler: windtunnel.ClientHandlerType
) -> windtunnel.ClientResponse:
    await asyncio.sleep(1)
    response = await handler(request)
    await response.read()
    await asyncio.sleep(1)
    return response


def _with_middleware() -> dict[str, Any]:
    return {"middlewares": [_slow_middleware, _slow_middleware]}


def _with_traces() -> dict[str, Any]:
    async def handler(session: Any, context: Any, params: Any) -> None:
        await asyncio.sleep(0.125)

    config = windtunnel.TraceConfig()
    for name in dir(config):
        if name.startswith("on_"):
            getattr(config, name).append(handler)
    return {"trace_configs": [config]}


# --- WebSocket ----------------------------------------------------------------------


async def _ws_connect(scene: Scene) -> None:
    await scene.session.ws_connect(SOCKET)


async def _ws_whole(scene: Scene) -> None:
    async with scene.session.ws_connect(SOCKET, heartbeat=4) as socket:
        await socket.send_str("hi")
        assert await socket.receive_str() == "hi"


async def _ws_open(scene: Scene) -> None:
    scene.kept["socket"] = await scene.session.ws_connect(SOCKET)


async def _ws_open_deaf(scene: Scene) -> None:
    scene.kept["socket"] = await scene.session.ws_connect(DEAF)


async def _ws_receive(scene: Scene) -> None:
    socket: windtunnel.ClientWebSocketResponse = scene.kept["socket"]
    await socket.send_str("hi")
    assert await socket.receive_str() == "hi"


async def _ws_send(scene: Scene) -> None:
    socket: windtunnel.ClientWebSocketResponse = scene.kept["socket"]
    for _ in range(5):
        await socket.send_bytes(bytes(100_000))


async def _ws_close(scene: Scene) -> None:
    assert await scene.kept["socket"].close() is True


async def _ws_is_usable(scene: Scene) -> None:
    socket: windtunnel.ClientWebSocketResponse = scene.kept["socket"]
    assert not socket.closed
    await socket.send_str("bye")
    while await socket.receive_str() != "bye":
        """The answer to what was sent before comes first."""
    await socket.close()


async def _ws_can_be_closed(scene: Scene) -> None:
    await scene.kept["socket"].close()


async def _ws_is_closed(scene: Scene) -> None:
    socket: windtunnel.ClientWebSocketResponse = scene.kept["socket"]
    assert socket.closed
    message = await socket.receive()
    assert message.type is windtunnel.WSMsgType.CLOSED


# --- the end ------------------------------------------------------------------------


async def _keep_busy(scene: Scene) -> None:
    """Have an idle connection, a response half read, and an upload."""
    await scene.get(A)
    await scene.get(SECURE)
    await _hold(scene)
    scene.kept["post"] = asyncio.create_task(_post_generator(scene))
    await asyncio.sleep(1.5)


async def _close_session(scene: Scene) -> None:
    await scene.session.close()


async def _close_connector(scene: Scene) -> None:
    assert scene.session.connector is not None
    await scene.session.connector.close()


async def _all_has_failed(scene: Scene) -> None:
    for work in (scene.kept["post"], scene.kept["held"].read()):
        with pytest.raises(windtunnel.ClientConnectionError, match="is closed"):
            await work


_POLITE = {"ssl_shutdown_timeout": 3}

OPERATIONS = (
    Operation("get", _get),
    Operation("get-tls", _get_tls),
    Operation("read", _read),
    Operation("readline", _readline),
    Operation("iter-chunked-tls", _iter_chunked),
    Operation("iter-chunks", _iter_chunks),
    Operation("readexactly", _readexactly),
    Operation("release", _leave),
    Operation("post-bytes", _post_bytes),
    Operation("post-bytes-tls", _post_bytes_tls),
    Operation("post-when-asked", _post_when_asked),
    Operation("post-much-when-asked", _post_much_when_asked),
    Operation("post-early-answer", _post_early_answer),
    Operation("post-generator", _post_generator, after=_generator_is_closed),
    Operation("post-file", _post_file, _open_file, _file_is_closed),
    Operation("post-multipart", _post_multipart, _open_files, _file_is_closed),
    Operation("redirects", _redirects),
    Operation("via-proxy", _via_proxy),
    Operation("via-tunnel", _via_tunnel),
    Operation("tls-in-tls", _tls_in_tls),
    Operation("two-addresses", _two_addresses),
    Operation("wait-for-a-place", _get, _hold, _unhold),
    Operation("look-up", _look_up),
    Operation("join-a-look-up", _look_up, _look_up_first, _other_is_served, 2),
    Operation("lead-a-look-up", _look_up, _look_up_soon, _other_is_served, 2),
    Operation("digest", _digest, session=_with_digest),
    Operation("middlewares", _get, session=_with_middleware),
    Operation("traces", _redirects, session=_with_traces),
    Operation("traces-reading", _read, session=_with_traces),
    Operation("ws-connect", _ws_connect),
    Operation("ws-whole", _ws_whole),
    Operation("ws-receive", _ws_receive, _ws_open, _ws_is_usable),
    Operation("ws-send", _ws_send, _ws_open_deaf, _ws_can_be_closed),
    Operation("ws-close", _ws_close, _ws_open, _ws_is_closed),
    Operation(
        "session-close", _close_session, _keep_busy, _all_has_failed, 3, ends=True
    ),
    Operation(
        "connector-close",
        _close_connector,
        _keep_busy,
        _all_has_failed,
        3,
        connector=_POLITE,
        ends=True,
    ),
)
