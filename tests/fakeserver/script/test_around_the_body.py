"""Trailers behind a reply's body, and interim replies before its head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from windtunnel_fakeserver import Eof, Pause, Reply, Request, pause
from windtunnel_fakeserver._script.plan import Plan, plan_reply

if TYPE_CHECKING:
    from collections.abc import Callable

EARLY = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
HINTS = Reply(103, {"link": "</a>"})


def planned(reply: Reply, method: str = "GET", version: str = "HTTP/1.1") -> Plan:
    asked = Request(method, "/", version, [], b"", b"", complete=True)
    return plan_reply(reply, asked)


def parts(plan: Plan) -> tuple[bytes, bytes]:
    data = b"".join(piece for piece in plan.pieces if isinstance(piece, bytes))
    return data[plan.head_at : plan.body_at], data[plan.body_at :]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        pytest.param(
            lambda: Reply(trailers={"x": "1"}, length=3),
            ValueError,
            "only chunked bodies have them",
            id="length",
        ),
        pytest.param(
            lambda: Reply(headers={"Content-Length": "3"}, trailers={"x": "1"}),
            ValueError,
            "only chunked bodies have them",
            id="content-length",
        ),
        pytest.param(
            lambda: Reply(informational=[Reply(200)]),
            ValueError,
            r"informational=Reply\(200\): must be 1xx",
            id="final",
        ),
        pytest.param(
            lambda: Reply(informational=[Reply(101)]),
            ValueError,
            "101 ends the exchange",
            id="switching",
        ),
        pytest.param(
            lambda: Reply(informational=[cast("Any", 103)]),
            TypeError,
            r"informational=103: must be Reply\(103",
            id="number",
        ),
    ],
)
def test_wrong_words_are_refused_at_the_call(
    make: Callable[[], object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    "reply",
    [
        Reply(text="ab", trailers=[("x", "1"), ("y", "2")]),
        Reply(chunks=[b"ab"], trailers=[("x", "1"), ("y", "2")]),
    ],
    ids=["body", "chunks"],
)
def test_trailers_follow_the_last_chunk_and_are_announced(reply: Reply) -> None:
    head, body = parts(planned(reply))
    assert b"\r\nTrailer: x, y\r\n" in head
    assert b"\r\nTransfer-Encoding: chunked\r\n" in head
    assert b"Content-Length" not in head
    assert body == b"2\r\nab\r\n0\r\nx: 1\r\ny: 2\r\n\r\n"


def test_an_announcement_of_the_authors_own_wins() -> None:
    reply = Reply(headers={"trailer": "other"}, text="ab", trailers={"x": "1"})
    head, _ = parts(planned(reply))
    assert head.lower().count(b"trailer: ") == 1


def test_an_old_client_gets_no_trailers() -> None:
    reply = Reply(text="ab", trailers={"x": "1"})
    head, body = parts(planned(reply, version="HTTP/1.0"))
    assert b"\r\nContent-Length: 2\r\n" in head
    assert body == b"ab"


def test_a_head_request_learns_of_the_chunked_framing() -> None:
    head, body = parts(planned(Reply(text="ab", trailers={"x": "1"}), "HEAD"))
    assert b"\r\nTransfer-Encoding: chunked\r\n" in head
    assert body == b""


def test_interim_replies_come_before_the_delay_and_the_head() -> None:
    reply = Reply(
        text="ab", informational=[HINTS, pause(1), Reply(102, delay=2)], delay=3
    )
    plan = planned(reply)
    *early, final = plan.pieces
    assert early == [
        EARLY,
        Pause(1),
        Pause(2),
        b"HTTP/1.1 102 Processing\r\n\r\n",
        Pause(3),
    ]
    assert parts(plan)[0].startswith(b"HTTP/1.1 200 OK\r\n")
    assert isinstance(final, bytes)
    assert final.endswith(b"\r\n\r\nab")
    assert plan.status == 200


def test_an_old_client_gets_no_interim_replies() -> None:
    plan = planned(Reply(informational=[HINTS]), version="HTTP/1.0")
    assert len(plan.pieces) == 1
    assert plan.head_at == 0


def test_a_fault_of_the_head_counts_from_the_final_head() -> None:
    fault = Eof(at="response_head", after=8)
    plan = planned(Reply(informational=[HINTS], fault=fault))
    assert plan.pieces == (EARLY, b"HTTP/1.1", fault)


def test_both_are_shown_in_short() -> None:
    reply = Reply(trailers={"x": "1"}, informational=[HINTS, pause(1)])
    shown = "trailers=<1 fields>, informational=<2 pieces>)"
    assert repr(reply).endswith(shown)
