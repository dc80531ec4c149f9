"""Faults as values: checked at the call, shown as typed, put among bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from windtunnel_fakeserver import (
    Eof,
    Fault,
    Garbage,
    HalfClose,
    Moment,
    Pause,
    Reply,
    Reset,
    Stall,
    TlsAlert,
    pause,
)
from windtunnel_fakeserver._script.plan import Plan
from windtunnel_fakeserver._script.strike import struck

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        pytest.param(
            lambda: Eof(at=cast("Any", "later")),
            ValueError,
            r"Eof\(at='later'\): must be one of connect, tls, request_head",
            id="moment",
        ),
        pytest.param(
            lambda: Reset(at="tls", after=-1), ValueError, "must be >= 0", id="after"
        ),
        pytest.param(
            lambda: Stall(at="connect", after=1),
            ValueError,
            "has no bytes to count",
            id="no-bytes-at-connect",
        ),
        pytest.param(
            lambda: HalfClose(at="response_end", after=1),
            ValueError,
            "has no bytes to count",
            id="no-bytes-at-the-end",
        ),
        pytest.param(
            lambda: Garbage(1, at="connect", size=0),
            ValueError,
            r"Garbage\(size=0\): must be >= 1 bytes",
            id="size",
        ),
        pytest.param(
            lambda: TlsAlert("nonsense"),
            ValueError,
            r"TlsAlert\('nonsense'\): must be one of unexpected_message",
            id="alert",
        ),
        pytest.param(
            lambda: TlsAlert(at="connect"),
            ValueError,
            'must be "tls"',
            id="alert-moment",
        ),
        pytest.param(
            lambda: Reply(fault=Eof(at="request_head")),
            ValueError,
            r'request_head is over when a reply is chosen; .*on_connect\(Eof\(at="req',
            id="reply-too-late",
        ),
        pytest.param(
            lambda: Reply(fault=cast("Any", "reset")),
            TypeError,
            r"Reply\(fault='reset'\): must be Eof",
            id="no-fault",
        ),
    ],
)
def test_wrong_words_are_refused_at_the_call(
    make: Callable[[], object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Eof(at="response_body", after=4), 'Eof(at="response_body", after=4)'),
        (Eof(at="tls", close_notify=False), 'Eof(close_notify=False, at="tls")'),
        (Garbage(7, at="connect"), 'Garbage(7, at="connect")'),
        (Garbage(at="connect", size=2), 'Garbage(0, size=2, at="connect")'),
        (TlsAlert("unknown_ca"), 'TlsAlert("unknown_ca", at="tls")'),
    ],
    ids=["eof", "truncation", "seed", "size", "alert"],
)
def test_a_fault_is_shown_as_it_would_be_typed(fault: Fault, text: str) -> None:
    assert repr(fault) == text
    reply = Reply(fault=Eof(at="response_end"))
    assert repr(reply) == 'Reply(200, fault=Eof(at="response_end"))'


def test_garbage_is_the_same_for_the_same_seed() -> None:
    fault = Garbage(3, at="connect")
    assert fault.noise() == Garbage(3, at="tls").noise()
    assert len(fault.noise()) == 64
    assert fault.noise() != Garbage(4, at="connect").noise()
    assert len(Garbage(3, at="connect", size=5).noise()) == 5


# Three bytes of head behind two of something else, five of body in two pieces.
PLAN = Plan(200, (b"iiHH", pause(1), b"Hab", pause(2), b"cde"), False, 2, 5)


@pytest.mark.parametrize(
    ("at", "after", "kept"),
    [
        pytest.param("response_head", 0, (b"ii",), id="head-0"),
        pytest.param("response_head", 2, (b"iiHH", Pause(1)), id="head-2"),
        pytest.param("response_body", 0, (b"iiHH", Pause(1), b"H"), id="body-0"),
        pytest.param(
            "response_body",
            2,
            (b"iiHH", Pause(1), b"Hab", Pause(2)),
            id="body-2-after-the-pause",
        ),
        pytest.param("response_body", 5, PLAN.pieces, id="body-whole"),
        pytest.param("response_end", 0, PLAN.pieces, id="end"),
    ],
)
def test_a_fault_comes_instead_of_its_byte(
    at: Moment, after: int, kept: tuple[object, ...]
) -> None:
    fault = Eof(at=at, after=after)
    plan = struck(PLAN, fault)
    assert plan.pieces == (*kept, fault)
    assert plan.unfired == ""


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Eof(at="response_body", after=6), "the response_body had 5 bytes"),
        (Eof(at="response_head", after=4), "the response_head had 3 bytes"),
        (Garbage(at="response_body", after=5), "the response_body had 5 bytes"),
    ],
    ids=["body", "head", "garbage"],
)
def test_a_fault_beyond_the_end_changes_nothing_and_says_why(
    fault: Fault, reason: str
) -> None:
    plan = struck(PLAN, fault)
    assert plan.pieces == PLAN.pieces
    assert plan.unfired == reason


@pytest.mark.parametrize(
    ("at", "after", "size", "low", "high"),
    [
        pytest.param("response_head", 0, None, 2, 5, id="head"),
        pytest.param("response_body", 1, None, 6, 10, id="body"),
        pytest.param("response_body", 1, 2, 6, 8, id="two-bytes"),
        pytest.param("response_body", 3, 99, 8, 10, id="more-than-left"),
    ],
)
def test_garbage_replaces_bytes_one_by_one(
    at: Moment, after: int, size: int | None, low: int, high: int
) -> None:
    fault = Garbage(1, at=at, after=after, size=size)
    plan = struck(PLAN, fault)
    clean = b"iiHHHabcde"
    data = b"".join(piece for piece in plan.pieces if isinstance(piece, bytes))
    assert data == clean[:low] + fault.noise(high - low) + clean[high:]
    rest = [piece for piece in plan.pieces if not isinstance(piece, Fault)]
    assert [type(piece) for piece in rest] == [type(piece) for piece in PLAN.pieces]
    assert plan.pieces.count(fault) == 1


def test_garbage_behind_a_reply_is_added() -> None:
    fault = Garbage(1, at="response_end", size=3)
    assert struck(PLAN, fault).pieces == (*PLAN.pieces, fault, fault.noise())
