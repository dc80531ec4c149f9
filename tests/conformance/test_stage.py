"""Peers at play, and what is kept of a run, on both kinds of network."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.worlds import GET, ScriptedAdapter, make_case, result
from windtunnel_conformance.adapters.base import AdapterError
from windtunnel_conformance.adapters.catalogue import open_adapter
from windtunnel_conformance.outcome import Timing
from windtunnel_conformance.stage import Assignment, run_real, run_virtual

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from windtunnel_conformance.adapters.base import (
        Adapter,
        Description,
        RunRequest,
        RunResult,
    )
    from windtunnel_conformance.adapters.signals import Signals
    from windtunnel_conformance.case import Case
    from windtunnel_conformance.outcome import Outcome, SeenConnection

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class RawClient:
    """An adapter that speaks with the peer by streams of bytes."""

    def __init__(
        self,
        act: Callable[[Dial, Signals], Awaitable[None]],
        *,
        port: int = 80,
        closes_after: float = 0.0,
    ) -> None:
        self._act = act
        self._port = port
        self._closes_after = closes_after
        self.request: RunRequest | None = None

    async def describe(self) -> Description:
        raise NotImplementedError

    async def run(self, request: RunRequest, signals: Signals) -> RunResult:
        self.request = request
        writers: list[asyncio.StreamWriter] = []
        loop = asyncio.get_running_loop()

        async def dial() -> Streams:
            place = request["env"]["resolve"].get(f"a.test:{self._port}")
            host, _, port = (place or f"a.test:{self._port}").rpartition(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writers.append(writer)
            return reader, writer

        try:
            await self._act(dial, signals)
        finally:
            for writer in writers:
                loop.call_later(self._closes_after, writer.close)
        return result(r={"status": 200, "t": [0.0, 1.0]})

    async def aclose(self) -> None:
        raise NotImplementedError


if TYPE_CHECKING:
    Dial = Callable[[], Awaitable[Streams]]


def peers(steps: str, more: str = "") -> Case:
    """Return a case whose client is asked for one request."""
    return make_case(f"{GET}\n[[peer]]\nsteps = [{steps}]\n{more}")


def play(case: Case, adapter: Adapter, **options: float) -> Outcome:
    """Play on the simulated network."""
    return run_virtual(Assignment(case, case.base, 1, Timing()), adapter, **options)


def play_raw(
    case: Case, act: Callable[[Dial, Signals], Awaitable[None]], port: int = 80
) -> tuple[SeenConnection, ...]:
    """Play raw bytes on both networks; both have to see the same."""
    outcome = play(case, RawClient(act, port=port))
    assert outcome.adapter_error is None, outcome
    timing = Timing(virtual=False, scale=0.001)
    work = Assignment(case, case.base, 1, timing)
    real, _ = asyncio.run(run_real(work, RawClient(act, port=port)))
    assert real.adapter_error is None, real
    assert len(real.connections) == len(outcome.connections)
    for one, other in zip(real.connections, outcome.connections, strict=True):
        assert [r.raw for r in one.requests] == [r.raw for r in other.requests]
        assert one.peer == other.peer
    return outcome.connections


async def _ask(dial: Dial, data: bytes = b"GET / HTTP/1.1\r\n\r\n") -> Streams:
    reader, writer = await dial()
    writer.write(data)
    return reader, writer


def test_pieces_of_a_send_are_segments_and_waits_are_virtual() -> None:
    times: list[tuple[float, bytes]] = []

    async def act(dial: Dial, signals: Signals) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        reader, _ = await _ask(dial)
        while data := await reader.read(100):
            times.append((round(loop.time() - began, 6), data))

    case = make_case(
        f"""{GET}
[[peer]]
end = "close"
steps = [{{ read = "request" }}, {{ send = "abc" }}, {{ wait = 7.0 }}, {{ send = "d" }}]
""",
        head='[vary]\nsplit = "every"',
    )
    by_byte = next(one for one in case.variants if one.key == "split=bytes")
    run_virtual(Assignment(case, by_byte, 1, Timing()), RawClient(act))
    assert times == [(0.0, b"a"), (0.0, b"b"), (0.0, b"c"), (7.0, b"d")]

    times.clear()
    work = Assignment(case, by_byte, 1, Timing(virtual=False, scale=0.001))
    asyncio.run(run_real(work, RawClient(act)))
    assert b"".join(data for _, data in times) == b"abcd"


@pytest.mark.parametrize(
    ("how", "error"),
    [
        pytest.param("fin", None, id="fin"),
        pytest.param("rst", ConnectionResetError, id="rst"),
        pytest.param("tls-no-notify", None, id="without-notify"),
    ],
)
def test_a_peer_ends_the_connection_as_told(
    how: str, error: type[Exception] | None
) -> None:
    async def act(dial: Dial, signals: Signals) -> None:
        reader, _ = await _ask(dial)
        if error is None:
            assert await reader.read() == b""
        else:
            with pytest.raises(error):
                await reader.read()

    play_raw(peers(f'{{ read = "head" }}, {{ close = "{how}" }}'), act)


def test_a_half_closed_peer_still_reads() -> None:
    async def act(dial: Dial, signals: Signals) -> None:
        reader, writer = await dial()
        assert await reader.read() == b""
        writer.write(b"GET /late HTTP/1.1\r\n\r\n")
        await signals.wait("read")

    (connection,) = play_raw(
        peers('{ half_close = true }, { read = "request" }, { signal = "read" }'), act
    )
    assert connection.requests[0].target == "/late"


def test_a_paused_peer_takes_nothing_until_it_resumes() -> None:
    size = 300_000

    async def act(dial: Dial, signals: Signals) -> None:
        _, writer = await dial()
        await signals.wait("paused")
        writer.write(b"x" * size)
        signals.set("written")
        await signals.wait("all")

    steps = (
        '{ pause = true }, { signal = "paused" }, { wait_for = "written" }, '
        f'{{ resume = true }}, {{ read = "bytes:{size}" }}, {{ signal = "all" }}'
    )
    (connection,) = play_raw(peers(steps), act)
    assert connection.problem is None
    assert connection.requests == ()


def test_a_peer_that_stays_paused_does_not_keep_the_run_from_ending() -> None:
    async def act(dial: Dial, signals: Signals) -> None:
        await dial()
        await signals.wait("paused")

    play_raw(peers('{ pause = true }, { signal = "paused" }'), act)


def test_a_peer_reads_to_the_end_of_the_clients_bytes() -> None:
    async def act(dial: Dial, signals: Signals) -> None:
        _, writer = await _ask(dial, b"anything")
        writer.write_eof()
        await signals.wait("end")

    steps = '{ read = "eof" }, { signal = "end" }, { wait = "forever" }'
    (connection,) = play_raw(peers(steps), act)
    assert connection.requests == ()
    data = [event.data for event in connection.events if event.kind == "data"]
    assert data == [b"anything"]


def test_an_idle_peer_still_sees_what_the_client_sends() -> None:
    async def act(dial: Dial, signals: Signals) -> None:
        reader, writer = await _ask(dial)
        assert await reader.read(10) == b"answer"
        writer.write(b"GET /second HTTP/1.1\r\n\r\nPOST /cut HTTP/1.1\r\n")
        await writer.drain()

    (connection,) = play_raw(peers('{ read = "request" }, { send = "answer" }'), act)
    assert [request.target for request in connection.requests] == ["/", "/second"]
    assert connection.problem is None


def test_a_request_that_breaks_off_is_kept_with_what_came() -> None:
    async def act(dial: Dial, signals: Signals) -> None:
        await _ask(dial, b"POST /up HTTP/1.1\r\nContent-Length: 9\r\n\r\nfour")

    (connection,) = play_raw(peers('{ read = "request" }, { send = "never" }'), act)
    (request,) = connection.requests
    assert not request.complete
    assert request.raw.endswith(b"\r\n\r\nfour")
    assert request.body == b"four"
    assert "step 1" in str(connection.problem)


def test_bytes_that_never_come_are_a_problem_of_the_step() -> None:
    async def act(dial: Dial, signals: Signals) -> None:
        await _ask(dial, b"abc")

    (connection,) = play_raw(peers('{ read = "bytes:5" }'), act)
    assert "read_exactly(5)" in str(connection.problem)


def test_a_client_that_left_before_a_send_is_no_problem() -> None:
    async def act(dial: Dial, signals: Signals) -> None:
        _, writer = await _ask(dial)
        await signals.wait("asked")
        writer.close()
        await writer.wait_closed()
        signals.set("left")

    steps = (
        '{ read = "head" }, { signal = "asked" }, { wait_for = "left" }, '
        '{ wait = 1.0 }, { send = "a" }, { wait = 1.0 }, { send = "b" }'
    )
    (connection,) = play_raw(peers(steps), act)
    assert connection.problem is None


def test_connections_get_scripts_in_order_and_a_stranger_is_reset() -> None:
    async def act(dial: Dial, signals: Signals) -> None:
        seen: list[bytes] = []
        for _ in range(2):
            reader, _writer = await dial()
            seen.append(await reader.read(10))
        assert seen == [b"one", b"two"]
        reader, _writer = await dial()
        with pytest.raises(ConnectionResetError):
            await reader.read()

    more = '[[peer]]\nsteps = [{ send = "two" }]'
    connections = play_raw(peers('{ send = "one" }', more), act)
    assert [connection.peer for connection in connections] == [0, 1, None]
    assert [connection.number for connection in connections] == [0, 1, 2]


def test_a_plain_script_on_a_tls_origin_sees_raw_bytes() -> None:
    async def act(dial: Dial, signals: Signals) -> None:
        await _ask(dial, b"\x16\x03\x01")
        await signals.wait("seen")

    case = make_case(
        GET + '[[peer]]\nplain = true\nsteps = [{ read = "bytes:3" }, '
        '{ signal = "seen" }]\n',
        head='[origins]\na = { url = "https://a.test" }',
    )
    (connection,) = play_raw(case, act, port=443)
    assert connection.bytes_after == {"tls": 0}
    assert connection.problem is None


@pytest.mark.parametrize("name", ["windtunnel", "aiohttp", "httpx"])
def test_a_refused_handshake_is_a_connection_with_its_script(name: str) -> None:
    case = make_case(
        GET + '[[peer]]\nsteps = [{ read = "eof" }]\n',
        head='[origins]\na = { url = "https://a.test", tls = { names = ["b.test"] } }',
    )
    outcome = play(case, open_adapter(name))
    error: Any = outcome.results["r"]["error"]
    assert "CERTIFICATE_VERIFY_FAILED" in error["raw"]
    (connection,) = outcome.connections
    assert connection.peer == 0
    assert connection.bytes_after == {"tls": 0}
    assert any(event.kind == "tls" for event in connection.events)


def test_connects_are_refused_on_both_networks_and_hang_on_the_simulated_one() -> None:
    async def refused(dial: Dial, signals: Signals) -> None:
        with pytest.raises(ConnectionRefusedError):
            await dial()

    def case(connect: str) -> Case:
        return make_case(
            GET,
            head=f'[origins]\na = {{ url = "http://a.test", connect = "{connect}" }}',
        )

    assert play_raw(case("refuse"), refused) == ()

    async def hangs(dial: Dial, signals: Signals) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(9.0):
                await dial()

    outcome = play(case("hang"), RawClient(hangs))
    assert outcome.adapter_error is None


def test_a_deadlock_is_a_hang_with_the_table_of_waiters() -> None:
    outcome = play(peers('{ read = "request" }, { wait = "forever" }'), client())
    assert outcome.adapter_error is not None
    kind, words = outcome.adapter_error
    assert kind == "adapter.hang"
    assert "main" in words or "Task" in words
    assert outcome.connections[0].requests[0].target == "/"


def client() -> RawClient:
    """Return a client that waits for an answer without a timeout."""

    async def act(dial: Dial, signals: Signals) -> None:
        reader, _ = await _ask(dial)
        await reader.read()

    return RawClient(act)


def test_a_client_that_never_gives_way_is_ended_by_the_real_clock() -> None:
    async def spin(dial: Dial, signals: Signals) -> None:
        while True:
            pass

    outcome = play(peers('{ read = "request" }'), RawClient(spin), max_real=0.1)
    assert outcome.adapter_error is not None
    kind, words = outcome.adapter_error
    assert kind == "adapter.hang"
    assert "0.2 s of real time" in words
    assert "spin" in words


def test_a_fault_of_an_adapter_is_a_result_with_its_traceback() -> None:
    def act(request: RunRequest) -> RunResult:
        raise LookupError("no such thing")

    outcome = play(peers('{ read = "request" }'), ScriptedAdapter(act))
    assert outcome.adapter_error == ("adapter.crash", "LookupError: no such thing")
    assert "Traceback" in outcome.stderr


def test_a_broken_adapter_is_a_result_and_says_whether_a_repeat_is_fair() -> None:
    def act(request: RunRequest) -> RunResult:
        raise AdapterError("adapter.crash", "gone", "last words", may_repeat=True)

    case = peers('{ read = "request" }')
    timing = Timing(virtual=False, scale=0.5)
    work = Assignment(case, case.base, 1, timing)
    outcome, may_repeat = asyncio.run(run_real(work, ScriptedAdapter(act)))
    assert may_repeat
    assert outcome.adapter_error == ("adapter.crash", "gone")
    assert outcome.stderr == "last words"
    assert outcome.timing == timing


def test_a_connection_that_the_client_leaves_open_is_a_leak() -> None:
    async def act(dial: Dial, signals: Signals) -> None:
        await _ask(dial)

    outcome = play(peers('{ read = "request" }'), RawClient(act, closes_after=0.7))
    assert outcome.leaks == {"connections": 1}


def test_the_request_says_what_the_world_is_like() -> None:
    async def act(dial: Dial, signals: Signals) -> None:
        await _ask(dial)
        assert asyncio.get_running_loop().time() == pytest.approx(100.25, abs=1e-6)

    adapter = RawClient(act)
    case = make_case(
        GET + '[[peer]]\nsteps = [{ read = "request" }]\n',
        head='[clock]\nmode = "virtual"\nstart = 100.25\n'
        'wall = "2026-01-15T12:00:00Z"\n[session]\nlimit = 2',
    )
    outcome = play(case, adapter)
    assert outcome.adapter_error is None, outcome
    assert adapter.request is not None
    assert adapter.request["case"] == "demo/one"
    assert adapter.request["session"] == {"limit": 2}
    assert adapter.request["env"]["wall"] == "2026-01-15T12:00:00Z"
    assert adapter.request["actions"][0]["as"] == "r"
