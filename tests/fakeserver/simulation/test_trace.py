"""Traces of two runs, compared."""

from __future__ import annotations

from windtunnel_fakeserver.simulation import Trace, World


def a_trace(*kinds: str) -> Trace:
    world = World()
    for kind in kinds:
        world.trace.add(kind, 0, ">", 7)
    world.close()
    return world.trace


def test_equal_runs_have_no_difference() -> None:
    assert a_trace("open", "data").difference(a_trace("open", "data")) == ""


def test_a_difference_is_shown_with_what_came_before() -> None:
    first = a_trace("dns", "connect", "open", "data", "fin")
    second = a_trace("dns", "connect", "open", "data", "reset", "close")

    lines = first.difference(second).splitlines()

    assert lines[0] == "the first difference is at event 4:"
    assert [line.split()[0] for line in lines[1:]] == ["both"] * 3 + ["run"] * 2
    assert "connect" in lines[1]
    assert "fin" in lines[4]
    assert "reset" in lines[5]


def test_a_run_that_ends_earlier_differs() -> None:
    lines = a_trace("open").difference(a_trace("open", "close")).splitlines()

    assert lines[-2] == "  run 1  (no more events)"
    assert "close" in lines[-1]


def test_a_copy_stays_as_it_was() -> None:
    trace = a_trace("open")
    kept = trace.copy()

    trace.add("close", 0)

    assert len(kept) == 1
    assert kept.digest() != trace.digest()
