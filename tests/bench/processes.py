"""Start the server and the measured processes, each on a processor of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Generator

ROOT: Final = Path(__file__).resolve().parents[2]
_WORKER_SECONDS: Final = 300
_INSTRUCTIONS: Final = re.compile(r"I\s+refs:\s+([0-9,]+)")


class BenchError(Exception):
    """A measurement could not be made; the text says which and why."""


def processors() -> tuple[int | None, int | None]:
    """Choose a processor for the client and another for the server.

    Returns:
        Their numbers; None twice if this process may use only one, or the system does
        not let a process choose.
    """
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[0], allowed[1]) if len(allowed) > 1 else (None, None)


def _pinned(command: list[str], processor: int | None) -> list[str]:
    """Make a command that runs on one processor only."""
    if processor is None:
        return command
    # Set in the new process and not by a hook between fork and exec, which is not
    # safe in a process with threads.
    code = (
        f"import os, sys; os.sched_setaffinity(0, {{{processor}}}); "
        f"os.execv(sys.argv[1], sys.argv[1:])"
    )
    return [sys.executable, "-S", "-c", code, *command]


@contextlib.contextmanager
def bytecode_kept() -> Generator[None]:
    """Have new processes compile a module once and then load it, as programs do."""
    if not sys.dont_write_bytecode:
        yield
        return
    before = dict(os.environ)
    # A process that was interrupted may still write into it.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


@contextlib.contextmanager
def server(processor: int | None) -> Generator[str]:
    """Run the server; gives its ``Site`` as JSON, and ends it."""
    command = [sys.executable, "-m", "tests.bench.server"]
    with subprocess.Popen(
        _pinned(command, processor),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        if process.stdout is None or process.stdin is None:  # as asked for above
            raise AssertionError
        try:
            line = process.stdout.readline()
            if not line.startswith("{"):
                msg = f"the server did not start: it printed {line!r}"
                raise BenchError(msg)
            yield line.strip()
        finally:
            process.stdin.close()
            process.wait(timeout=10)


def _worker_command(entrant: str, scenario: str, site: str, amount: int) -> list[str]:
    module = [sys.executable, "-m", "tests.bench.worker"]
    return [*module, entrant, scenario, site, str(amount)]


def _run(command: list[str], what: str, environment: dict[str, str]) -> tuple[str, str]:
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_WORKER_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        msg = f"{what} did not end within {_WORKER_SECONDS} s"
        raise BenchError(msg) from exc
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["(it printed nothing)"]
        msg = f"{what} ended with status {done.returncode}: {last[0][:200]}"
        raise BenchError(msg)
    return done.stdout, done.stderr


def measure(
    entrant: str, scenario: str, site: str, amount: int, processor: int | None
) -> dict[str, Any]:
    """Measure one client in one scenario, in a fresh process.

    Raises:
        BenchError: The process failed, was too slow, or printed no result.
    """
    what = f"{entrant} in {scenario}"
    command = _worker_command(entrant, scenario, site, amount)
    out, _ = _run(_pinned(command, processor), what, dict(os.environ))
    try:
        return cast("dict[str, Any]", json.loads(out))
    except ValueError as exc:
        msg = f"{what} printed {out[:40]!r} instead of a result"
        raise BenchError(msg) from exc


def valgrind() -> str | None:
    """Say where valgrind is, None if it is not installed."""
    return shutil.which("valgrind")


def count_with_valgrind(entrant: str, scenario: str, site: str, amount: int) -> float:
    """Count instructions per operation as the difference of two run lengths.

    What start, imports and warm-up cost is in both runs and so in neither result.

    Raises:
        BenchError: A run failed.
    """
    # Another seed would lay out dictionaries in another way.
    environment = dict(os.environ, PYTHONHASHSEED="0")
    prefix = [
        "valgrind",
        "--tool=cachegrind",
        "--cache-sim=no",
        "--cachegrind-out-file=/dev/null",
    ]
    totals: list[int] = []
    for count in (amount, 2 * amount):
        command = [*prefix, *_worker_command(entrant, scenario, site, count)]
        what = f"{entrant} in {scenario} under valgrind"
        _, err = _run(command, what, environment)
        found = _INSTRUCTIONS.search(err)
        if found is None:
            msg = f"{what} printed no count of instructions"
            raise BenchError(msg)
        totals.append(int(found[1].replace(",", "")))
    return (totals[1] - totals[0]) / amount
