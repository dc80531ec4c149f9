"""Speaks the JSON-lines protocol with an adapter that is a program of its own.

In: a command line. Out: the same contract as an adapter in this process. Whatever the
program does (crash, hang, print garbage, answer twice) becomes an ``AdapterError`` with
the last lines of its error output; the next run starts a new process. Only processes
that were started here are ever ended.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, final

from windtunnel_conformance.adapters.base import (
    MAX_LINE_BYTES,
    PROTOCOL_VERSION,
    AdapterError,
    AdapterUnavailableError,
)
from windtunnel_conformance.adapters.messages import (
    check_description,
    check_result,
    decode_line,
    encode_line,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from windtunnel_conformance.adapters.base import (
        Description,
        JsonObject,
        RunRequest,
        RunResult,
    )
    from windtunnel_conformance.adapters.signals import Signals

_ERROR_TAIL_BYTES = 4096
_GRACE_SECONDS = 0.1


@final
class ProcessAdapter:
    """An adapter behind standard input and output.

    Args:
        command: Program and arguments.
        describe_seconds: Longest wait, in real seconds, for the first answer.
        goodbye_seconds: Longest wait for the program to end by itself.
        max_line_bytes: Longest line that it may write.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        describe_seconds: float = 10.0,
        goodbye_seconds: float = 1.0,
        max_line_bytes: int = MAX_LINE_BYTES,
    ) -> None:
        if not command:
            raise ValueError("command is empty: give a program and its arguments")
        self._command = tuple(command)
        self._describe_seconds = describe_seconds
        self._goodbye_seconds = goodbye_seconds
        self._max_line_bytes = max_line_bytes
        self._child: _Child | None = None
        self._starting = asyncio.Lock()
        self._description: Description | None = None

    async def describe(self) -> Description:
        """Ask the program who it is; the answer is kept.

        Raises:
            AdapterUnavailableError: The program cannot be started.
            AdapterError: It answered nothing, too late, or not by the protocol.
        """
        if self._description is None:
            child = await self._living_child()
            message: JsonObject = {
                "op": "describe",
                "id": 0,
                "protocol": PROTOCOL_VERSION,
            }
            answer = await child.ask(0, message, None, self._describe_seconds)
            try:
                self._description = check_description(answer)
            except AdapterError as exc:
                raise await child.blame(exc) from exc
        return self._description

    async def run(self, request: RunRequest, signals: Signals) -> RunResult:
        """Have the program perform one conversation.

        Raises:
            AdapterError: ``adapter.crash``, ``adapter.hang`` (longer than
                ``deadline_ms``) or ``adapter.protocol``. ``may_repeat`` is set unless
                this run alone was at fault.
        """
        child = await self._living_child()
        seconds = request["deadline_ms"] / 1000
        answer = await child.ask(request["id"], request, signals, seconds)
        try:
            return check_result(answer)
        except AdapterError as exc:
            raise await child.blame(exc, stop=False) from exc

    async def aclose(self) -> None:
        """Say goodbye, and end the process if it stays."""
        child, self._child = self._child, None
        if child is not None:
            await child.goodbye()

    async def _living_child(self) -> _Child:
        async with self._starting:
            if self._child is not None and self._child.is_broken:
                await self._child.goodbye()
                self._child = None
            if self._child is None:
                self._child = await self._start()
            return self._child

    async def _start(self) -> _Child:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=self._max_line_bytes,
            )
        except OSError as exc:
            reason = exc.strerror or str(exc)
            raise AdapterUnavailableError(
                f"adapter program {self._command[0]!r} cannot be started: {reason}"
            ) from exc
        return _Child(process, self._goodbye_seconds, self._max_line_bytes)


@final
class _Pending:
    """One question that was asked and not answered yet."""

    __slots__ = ("future", "signals")

    def __init__(self, signals: Signals | None) -> None:
        loop = asyncio.get_running_loop()
        self.future: asyncio.Future[JsonObject] = loop.create_future()
        self.signals = signals


@final
class _Child:
    """One started process, its readers, and what was asked of it."""

    def __init__(
        self, process: asyncio.subprocess.Process, patience: float, max_line_bytes: int
    ) -> None:
        self._process = process
        self._patience = patience
        self._max_line_bytes = max_line_bytes
        self._pending: dict[int, _Pending] = {}
        self._tail = bytearray()
        self._stderr = asyncio.create_task(self._read_errors())
        self._stdout = asyncio.create_task(self._read_answers())
        self.is_broken = False

    async def ask(
        self,
        number: int,
        message: Mapping[str, object],
        signals: Signals | None,
        seconds: float,
    ) -> JsonObject:
        """Write one message and wait for the answer with its ``id``."""
        pending = self._pending[number] = _Pending(signals)
        if signals is not None:
            signals.listen(lambda name: self._forward(number, name))
        try:
            async with asyncio.timeout(seconds):
                self._write(message)
                return await pending.future
        except TimeoutError:
            error = AdapterError(
                "adapter.hang",
                f"no answer to {message['op']!r} within {seconds:g} s of real time",
            )
            del self._pending[number]
            raise await self.blame(error) from None
        except AdapterError as exc:
            raise await self.blame(exc) from exc
        finally:
            self._pending.pop(number, None)

    async def blame(self, error: AdapterError, *, stop: bool = True) -> AdapterError:
        """Return ``error`` with what the program wrote on standard error.

        Args:
            error: What is known so far.
            stop: End the process, so that the next run gets a new one.
        """
        if stop:
            self.is_broken = True
            await self._end()
        tail = bytes(self._tail).decode("utf-8", "replace").strip()
        return AdapterError(
            error.kind, error.message, tail, may_repeat=error.may_repeat
        )

    async def goodbye(self) -> None:
        """Ask the program to end; make it end if it takes too long."""
        if not self.is_broken:
            self.is_broken = True
            self._write({"op": "bye"})
            if self._process.stdin is not None:
                self._process.stdin.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._patience):
                    await self._process.wait()
        await self._end()

    def _write(self, message: Mapping[str, object]) -> None:
        stdin = self._process.stdin
        if stdin is not None and not stdin.is_closing():
            stdin.write(encode_line(message))

    def _forward(self, number: int, name: str) -> None:
        if number in self._pending:
            self._write({"op": "signal", "id": number, "name": name})

    async def _end(self) -> None:
        # A program that is ending by itself may do so: kill() would collect its exit
        # code before asyncio's watcher does, which then warns of an unknown process.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                await self._process.wait()
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()
        # A grandchild may hold the pipes open for ever: what it would still write is
        # not worth waiting for.
        await asyncio.wait((self._stderr, self._stdout), timeout=self._patience)
        for task in (self._stderr, self._stdout):
            task.cancel()
        await asyncio.gather(self._stderr, self._stdout, return_exceptions=True)

    async def _read_errors(self) -> None:
        stderr = self._process.stderr
        while stderr is not None and (piece := await stderr.read(_ERROR_TAIL_BYTES)):
            self._tail += piece
            del self._tail[:-_ERROR_TAIL_BYTES]

    async def _read_answers(self) -> None:
        stdout = self._process.stdout
        try:
            while stdout is not None and (line := await stdout.readline()):
                self._take(decode_line(line))
        except ValueError:
            self._fail(
                "adapter.protocol", f"a line is over {self._max_line_bytes} bytes"
            )
            return
        except AdapterError as exc:
            self._fail(exc.kind, exc.message)
            return
        code = await self._process.wait()
        self._fail("adapter.crash", f"the adapter ended with exit code {code}")

    def _take(self, message: JsonObject) -> None:
        number = message.get("id")
        pending = self._pending.get(number) if isinstance(number, int) else None
        if pending is None:
            raise AdapterError(
                "adapter.protocol",
                f"op {message['op']!r} has id {number!r}, which nobody waits for",
            )
        if message["op"] == "event" and pending.signals is not None:
            pending.signals.set(str(message.get("name", "")))
        elif not pending.future.done():
            pending.future.set_result(message)

    def _fail(self, kind: str, message: str) -> None:
        """Give every question in flight the same answer: the adapter broke."""
        self.is_broken = True
        for pending in self._pending.values():
            if not pending.future.done():
                error = AdapterError(kind, message, may_repeat=True)
                pending.future.set_exception(error)
