"""Replies check the author's words at the call."""

from __future__ import annotations

from typing import Any

import pytest

from windtunnel_fakeserver import Pause, Reply, pause


@pytest.mark.parametrize(
    ("words", "body", "media_type"),
    [
        pytest.param({}, b"", "", id="nothing"),
        pytest.param({"body": b"x"}, b"x", "application/octet-stream", id="body"),
        pytest.param(
            {"body": bytearray(b"x")}, b"x", "application/octet-stream", id="bytearray"
        ),
        pytest.param({"json": None}, b"null", "application/json", id="json-null"),
        pytest.param({"json": "é"}, '"é"'.encode(), "application/json", id="json"),
        pytest.param({"text": ""}, b"", "text/plain; charset=utf-8", id="empty-text"),
    ],
)
def test_a_body_has_its_media_type(
    words: dict[str, Any], body: bytes, media_type: str
) -> None:
    reply = Reply(**words)
    assert (reply.body, reply.media_type) == (body, media_type)


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        pytest.param(
            {"text": "a", "json": 1}, ValueError, "takes one of body=", id="two-bodies"
        ),
        pytest.param({"status": 99}, ValueError, "99 is not in 100..999", id="status"),
        pytest.param({"delay": -1}, ValueError, "-1 is not >= 0 seconds", id="delay"),
        pytest.param({"body": "x"}, TypeError, "body is str, must be bytes", id="str"),
        pytest.param(
            {"chunks": ["x"]}, TypeError, "a piece of chunks is str", id="str-piece"
        ),
        pytest.param(
            {"headers": {"a": 1}},
            TypeError,
            "header 'a': 1 must be two str",
            id="header",
        ),
    ],
)
def test_wrong_words_are_refused_at_the_call(
    words: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Reply(**words)


@pytest.mark.parametrize("seconds", [-1.0, float("nan")])
def test_a_pause_takes_time_forward(seconds: float) -> None:
    with pytest.raises(ValueError, match="must be >= 0"):
        pause(seconds)
    assert pause(2) == Pause(2.0)


def test_headers_keep_order_and_duplicates() -> None:
    pairs = [("Set-Cookie", "a"), ("Set-Cookie", "b")]
    assert Reply(headers=pairs).headers == tuple(pairs)
    assert Reply(headers={"A": "1"}).headers == (("A", "1"),)


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        pytest.param(Reply(204), "Reply(204)", id="bare"),
        pytest.param(
            Reply(200, {"a": "b"}, body=b"xyz", delay=2),
            "Reply(200, headers=<1 fields>, body=<3 bytes>, delay=2.0)",
            id="body",
        ),
        pytest.param(
            Reply(chunks=[b"a"]), "Reply(200, chunks=<1 pieces>)", id="chunks"
        ),
    ],
)
def test_repr_is_short(reply: Reply, text: str) -> None:
    assert repr(reply) == text
