"""Adapters that are programs: the protocol kept, and every way to break it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.conformance.worlds import program, run_request
from windtunnel_conformance.adapters.base import (
    MAX_LINE_BYTES,
    AdapterError,
    AdapterUnavailableError,
)
from windtunnel_conformance.adapters.process import ProcessAdapter
from windtunnel_conformance.adapters.signals import Signals

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from windtunnel_conformance.adapters.base import RunResult

ECHO = """
describe()
while (message := read()) and message["op"] != "bye":
    if message["op"] == "run":
        write({"op": "result", "id": message["id"],
               "results": {"r": {"status": 200, "t": [0, message["id"]]}}})
"""


def with_adapter(
    command: list[str],
    act: Callable[[ProcessAdapter], Awaitable[None]],
    *,
    goodbye_seconds: float = 2.0,
    max_line_bytes: int = MAX_LINE_BYTES,
) -> None:
    """Run ``act`` with an adapter that is closed afterwards."""

    async def main() -> None:
        adapter = ProcessAdapter(
            command,
            describe_seconds=5.0,
            goodbye_seconds=goodbye_seconds,
            max_line_bytes=max_line_bytes,
        )
        try:
            await act(adapter)
        finally:
            await adapter.aclose()

    asyncio.run(main())


async def failure(adapter: ProcessAdapter, **changes: object) -> AdapterError:
    """Run one conversation that has to end in an adapter error."""
    with pytest.raises(AdapterError) as caught:
        await adapter.run(run_request(**changes), Signals())
    return caught.value


def test_a_program_that_keeps_the_protocol_is_described_once_and_runs(
    tmp_path: Path,
) -> None:
    async def act(adapter: ProcessAdapter) -> None:
        about = await adapter.describe()
        assert about is await adapter.describe()
        assert about["client"]["name"] == "demo"
        first = await adapter.run(run_request(id=7), Signals())
        second = await adapter.run(run_request(id=8), Signals())
        assert first["results"]["r"].get("t") == [0, 7]
        assert second["results"]["r"].get("t") == [0, 8]

    with_adapter(program(tmp_path, ECHO), act)


def test_answers_in_another_order_find_their_questions(tmp_path: Path) -> None:
    body = """
    describe()
    one, two = read(), read()
    for message in (two, one):
        write({"op": "result", "id": message["id"],
               "results": {"r": {"status": message["id"]}}})
    read()
    """

    async def act(adapter: ProcessAdapter) -> None:
        await adapter.describe()
        results = await asyncio.gather(
            adapter.run(run_request(id=201), Signals()),
            adapter.run(run_request(id=202), Signals()),
        )
        assert [one["results"]["r"].get("status") for one in results] == [201, 202]

    with_adapter(program(tmp_path, body), act)


def test_named_events_travel_both_ways_while_a_run_is_under_way(tmp_path: Path) -> None:
    body = """
    describe()
    run = read()
    write({"op": "event", "id": run["id"], "name": "asked"})
    while (signal := read())["name"] != "granted":
        pass
    write({"op": "result", "id": run["id"], "results": {"r": {"reason": signal["op"]}}})
    read()
    """

    async def act(adapter: ProcessAdapter) -> None:
        await adapter.describe()
        signals = Signals()
        running = asyncio.create_task(adapter.run(run_request(), signals))
        await signals.wait("asked")
        signals.set("granted")
        signals.set("granted")
        answer: RunResult = await running
        assert answer["results"]["r"].get("reason") == "signal"
        signals.set("after the end")

    with_adapter(program(tmp_path, body), act)


def test_a_crash_is_reported_with_its_error_output_and_the_next_run_gets_a_new_process(
    tmp_path: Path,
) -> None:
    marker = str(tmp_path / "crashed")
    body = f"""
    while (message := read()) and message["op"] == "run":
        if not os.path.exists({marker!r}):
            open({marker!r}, "w").close()
            sys.stderr.write("x" * 9000 + " out of luck\\n")
            sys.exit(7)
        write({{"op": "result", "id": message["id"], "results": {{}}}})
    """

    async def act(adapter: ProcessAdapter) -> None:
        error = await failure(adapter)
        assert error.kind == "adapter.crash"
        assert "exit code 7" in error.message
        assert error.detail.endswith("out of luck")
        assert len(error.detail) <= 4096
        assert error.may_repeat
        answer = await adapter.run(run_request(), Signals())
        assert answer["results"] == {}

    with_adapter(program(tmp_path, body), act)


def test_a_program_that_never_answers_is_ended_at_the_deadline(tmp_path: Path) -> None:
    body = """
    describe()
    sys.stderr.write("thinking\\n")
    sys.stderr.flush()
    while True:
        read()
    """

    async def act(adapter: ProcessAdapter) -> None:
        await adapter.describe()
        error = await failure(adapter, deadline_ms=150)
        assert error.kind == "adapter.hang"
        assert "0.15 s" in error.message
        assert error.detail == "thinking"
        assert not error.may_repeat

    with_adapter(program(tmp_path, body), act)


def test_runs_that_a_hang_of_another_run_takes_down_may_be_repeated(
    tmp_path: Path,
) -> None:
    async def act(adapter: ProcessAdapter) -> None:
        await adapter.describe()
        hanging, victim = await asyncio.gather(
            failure(adapter, id=1, deadline_ms=150),
            failure(adapter, id=2, deadline_ms=5000),
        )
        assert (hanging.kind, hanging.may_repeat) == ("adapter.hang", False)
        assert (victim.kind, victim.may_repeat) == ("adapter.crash", True)

    with_adapter(program(tmp_path, "describe()\nwhile True:\n    read()"), act)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param('sys.stdout.write("hello?\\n")', "is not JSON", id="no-json"),
        pytest.param('sys.stdout.write("\\xff\\xfe\\n")', "is not JSON", id="bytes"),
        pytest.param("write([1])", "not a JSON object", id="no-object"),
        pytest.param('write({"id": 1})', "no 'op'", id="no-op"),
        pytest.param(
            'write({"op": "result", "id": 99, "results": {}})', "id 99", id="wrong-id"
        ),
        pytest.param(
            'write({"op": "result", "results": {}})', "id None", id="without-id"
        ),
        pytest.param('write({"op": "dance", "id": 1})', "op 'dance'", id="unknown-op"),
        pytest.param(
            'write({"op": "error", "id": 1, "message": "no idea"})',
            "no idea",
            id="error",
        ),
        pytest.param(
            'write({"op": "result", "id": 1, "results": [1]})',
            "'results' is not an object",
            id="results-no-object",
        ),
        pytest.param(
            'write({"op": "result", "id": 1, "results": {"r": 1}})',
            "'results.r' is not an object",
            id="result-no-object",
        ),
        pytest.param(
            'write({"op": "result", "id": 1, "results": {"r": {"status": "200"}}})',
            "'status' is '200', not int",
            id="status-text",
        ),
        pytest.param(
            'write({"op": "result", "id": 1, "results": {"r": {"status": True}}})',
            "'status' is 'True', not int",
            id="status-bool",
        ),
        pytest.param(
            'write({"op": "result", "id": 1, "results": {"r": {"t": [0, "x"]}}})',
            "'t' is not two numbers",
            id="times",
        ),
        pytest.param(
            'write({"op": "result", "id": 1, "results": {"r": {"error": {"raw": 1}}}})',
            "'raw' is '1', not str",
            id="error-raw",
        ),
        pytest.param(
            'write({"op": "result", "id": 1, "unsupported": 3})',
            "'unsupported' is '3'",
            id="unsupported",
        ),
    ],
)
def test_an_answer_against_the_protocol_is_named(
    tmp_path: Path, answer: str, words: str
) -> None:
    body = f"describe()\nread()\n{answer}\nsys.stdout.flush()\nread()"

    async def act(adapter: ProcessAdapter) -> None:
        await adapter.describe()
        error = await failure(adapter)
        assert error.kind == "adapter.protocol"
        assert words in error.message

    with_adapter(program(tmp_path, body), act)


def test_an_answer_that_is_wrong_in_one_run_leaves_the_process_to_the_next(
    tmp_path: Path,
) -> None:
    body = """
    describe()
    write({"op": "result", "id": read()["id"], "results": 1})
    write({"op": "result", "id": read()["id"], "results": {"r": {"status": 204}}})
    read()
    """

    async def act(adapter: ProcessAdapter) -> None:
        await adapter.describe()
        await failure(adapter, id=1)
        answer = await adapter.run(run_request(id=2), Signals())
        assert answer["results"]["r"].get("status") == 204

    with_adapter(program(tmp_path, body), act)


def test_a_line_beyond_the_limit_is_against_the_protocol(
    tmp_path: Path,
) -> None:
    body = """
    describe()
    message = read()
    write({"op": "result", "id": message["id"], "results": {"r": {"body": "x" * 9000}}})
    read()
    """

    async def act(adapter: ProcessAdapter) -> None:
        await adapter.describe()
        error = await failure(adapter)
        assert error.kind == "adapter.protocol"
        assert "over 4096 bytes" in error.message

    with_adapter(program(tmp_path, body), act, max_line_bytes=4096)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param("describe(op='hello')", "op 'hello'", id="op"),
        pytest.param("describe(protocol=2)", "protocol 2", id="protocol"),
        pytest.param("describe(capabilities='tls')", "'capabilities'", id="list"),
        pytest.param("describe(client={})", "no 'name'", id="name"),
        pytest.param("sys.exit(3)", "exit code 3", id="crash"),
    ],
)
def test_a_wrong_description_is_named(tmp_path: Path, answer: str, words: str) -> None:
    async def act(adapter: ProcessAdapter) -> None:
        with pytest.raises(AdapterError) as caught:
            await adapter.describe()
        assert words in caught.value.message

    with_adapter(program(tmp_path, f"{answer}\nread()"), act)


def test_a_program_that_does_not_exist_is_unavailable() -> None:
    async def act(adapter: ProcessAdapter) -> None:
        with pytest.raises(AdapterUnavailableError, match="cannot be started"):
            await adapter.describe()

    with_adapter(["/nowhere/at/all"], act)


def test_an_empty_command_is_refused_at_the_call() -> None:
    with pytest.raises(ValueError, match="command is empty"):
        ProcessAdapter([])


def test_a_program_that_ignores_goodbye_is_ended(tmp_path: Path) -> None:
    body = """
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    describe()
    while True:
        read()
        signal.pause()
    """

    async def main() -> None:
        adapter = ProcessAdapter(program(tmp_path, body), goodbye_seconds=0.05)
        await adapter.describe()
        await adapter.aclose()
        await adapter.aclose()

    asyncio.run(main())


def test_a_grandchild_that_keeps_the_pipes_open_does_not_hold_up_the_end(
    tmp_path: Path,
) -> None:
    body = """
    import subprocess
    describe()
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"],
                             stdin=subprocess.PIPE)
    read()
    sys.stderr.write("gone\\n")
    sys.stderr.flush()
    os._exit(1)
    """

    async def act(adapter: ProcessAdapter) -> None:
        await adapter.describe()
        error = await failure(adapter)
        assert error.kind == "adapter.crash"

    with_adapter(program(tmp_path, body), act, goodbye_seconds=0.05)
