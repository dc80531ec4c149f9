"""Delays at each moment and throttled bodies, as pieces of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from windtunnel_fakeserver import Delay, Eof, Pause, Reply, Request, pause
from windtunnel_fakeserver._script.plan import Piece, plan_reply

if TYPE_CHECKING:
    from collections.abc import Callable


def pieces(reply: Reply, method: str = "GET") -> tuple[Piece, ...]:
    asked = Request(method, "/", "HTTP/1.1", [], b"", b"", complete=True)
    return plan_reply(reply, asked).pieces


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Delay(headers=-1), r"Delay\(headers=-1\): must be >= 0"),
        (lambda: Delay(body=float("nan")), r"Delay\(body=nan\): must be >= 0"),
        (lambda: Reply(throttle=0), "throttle 0 is not > 0 bytes per second"),
        (lambda: Reply(throttle=float("inf")), "throttle inf is not > 0"),
    ],
    ids=["headers", "body", "zero", "endless"],
)
def test_wrong_paces_are_refused_at_the_call(
    make: Callable[[], object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_hold_must_be_a_gate() -> None:
    with pytest.raises(TypeError, match=r"hold=True\): must be a gate"):
        Reply(hold=cast("Any", True))


def test_a_delay_has_a_part_before_the_head_and_one_before_the_body() -> None:
    reply = Reply(text="abc", delay=Delay(headers=1, body=2))
    before, head, between, body = pieces(reply)
    assert (before, between, body) == (Pause(1), Pause(2), b"abc")
    assert isinstance(head, bytes)
    assert head.endswith(b"\r\n\r\n")
    assert repr(reply) == "Reply(200, body=<3 bytes>, delay=Delay(headers=1, body=2))"


@pytest.mark.parametrize(
    ("reply", "method"),
    [
        (Reply(delay=Delay(body=2)), "GET"),
        (Reply(text="a", delay=Delay(body=2)), "HEAD"),
    ],
    ids=["empty", "head"],
)
def test_without_a_body_there_is_no_delay_before_it(reply: Reply, method: str) -> None:
    assert len(pieces(reply, method)) == 1


def test_a_throttled_body_comes_in_ten_slices_a_second() -> None:
    reply = Reply(body=bytes(range(25)), throttle=100)
    [_, *slow] = pieces(reply)
    assert slow == [
        Pause(0.1),
        bytes(range(10)),
        Pause(0.1),
        bytes(range(10, 20)),
        Pause(0.05),
        bytes(range(20, 25)),
    ]
    assert repr(reply) == "Reply(200, body=<25 bytes>, throttle=100)"


def test_a_slow_line_brings_single_bytes_and_keeps_pauses() -> None:
    reply = Reply(
        headers={"content-length": "2"}, chunks=[b"a", pause(9), b"b"], throttle=0.5
    )
    assert pieces(reply)[1:] == (Pause(2), b"a", Pause(9), Pause(2), b"b")


def test_a_fault_counts_the_bytes_of_a_throttled_body() -> None:
    fault = Eof(at="response_body", after=3)
    slow = pieces(Reply(body=b"abcde", throttle=20, fault=fault))
    assert slow[1:] == (Pause(0.1), b"ab", Pause(0.1), b"c", fault)
