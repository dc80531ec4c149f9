"""What a reply puts on the wire, for each kind of request."""

from __future__ import annotations

import pytest

from windtunnel_fakeserver import Pause, Reply, Request, pause
from windtunnel_fakeserver._script.plan import plan_raw, plan_reply, wants_close
from windtunnel_fakeserver._script.reply import RawReply


def request(
    method: str = "GET",
    version: str = "HTTP/1.1",
    connection: str | None = None,
    *,
    complete: bool = True,
) -> Request:
    headers = [] if connection is None else [("Connection", connection)]
    return Request(method, "/", version, headers, b"", b"", complete=complete)


def wire(reply: Reply, asked: Request) -> bytes:
    pieces = plan_reply(reply, asked).pieces
    return b"".join(piece for piece in pieces if isinstance(piece, bytes))


@pytest.mark.parametrize(
    ("version", "connection", "closes"),
    [
        pytest.param("HTTP/1.1", None, False, id="1.1"),
        pytest.param("HTTP/1.1", "x, Close", True, id="1.1-close"),
        pytest.param("HTTP/1.1", "keep-alive", False, id="1.1-keep-alive"),
        pytest.param("HTTP/1.0", None, True, id="1.0"),
        pytest.param("HTTP/1.0", "Keep-Alive", False, id="1.0-keep-alive"),
        pytest.param("HTTP/1.0", "upgrade", True, id="1.0-other"),
    ],
)
def test_persistence_follows_version_and_connection_field(
    version: str, connection: str | None, closes: bool
) -> None:
    assert wants_close(request(version=version, connection=connection)) is closes


def test_head_and_small_body_go_out_in_one_write() -> None:
    plan = plan_reply(Reply(json={"a": 1}), request())
    assert plan.pieces == (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        b"Content-Length: 8\r\n\r\n"
        b'{"a": 1}',
    )
    assert not plan.close
    assert plan.status == 200


def test_own_headers_win() -> None:
    headers = {"content-type": "x/y", "content-length": "99", "connection": "close"}
    plan = plan_reply(Reply(headers=headers, body=b"ab"), request())
    assert plan.pieces == (
        b"HTTP/1.1 200 OK\r\ncontent-type: x/y\r\ncontent-length: 99\r\n"
        b"connection: close\r\n\r\nab",
    )
    assert plan.close


def test_chunks_are_framed_one_by_one_with_pauses_between() -> None:
    plan = plan_reply(Reply(chunks=[b"one", pause(60), b"", b"two"]), request())
    assert plan.pieces == (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n",
        b"3\r\none\r\n",
        Pause(60.0),
        b"3\r\ntwo\r\n",
        b"0\r\n\r\n",
    )


def test_chunks_with_an_own_length_are_not_framed() -> None:
    reply = Reply(headers={"Content-Length": "4"}, chunks=[b"ab", b"cd"])
    assert plan_reply(reply, request()).pieces[1:] == (b"ab", b"cd")


def test_an_own_chunked_field_frames_the_body() -> None:
    field = {"Transfer-Encoding": "chunked"}
    assert wire(Reply(headers=field, body=b"ab"), request()).endswith(
        b"\r\n\r\n2\r\nab\r\n0\r\n\r\n"
    )
    assert wire(Reply(headers=field), request()).endswith(b"\r\n\r\n0\r\n\r\n")


@pytest.mark.parametrize("status", [103, 204, 304])
def test_a_status_without_body_has_neither_body_nor_length(status: int) -> None:
    plan = plan_reply(Reply(status, body=b"abc"), request())
    assert len(plan.pieces) == 1
    assert b"abc" not in wire(Reply(status, body=b"abc"), request())
    assert b"Content-" not in wire(Reply(status, body=b"abc"), request())


def test_a_reply_to_head_has_the_length_and_no_body() -> None:
    assert wire(Reply(text="abc"), request("HEAD")) == (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Content-Length: 3\r\n\r\n"
    )
    assert wire(Reply(chunks=[b"a"]), request("HEAD")).endswith(b"chunked\r\n\r\n")


def test_an_old_client_gets_chunks_until_the_close() -> None:
    old = request(version="HTTP/1.0", connection="keep-alive")
    plan = plan_reply(Reply(chunks=[b"ab"]), old)
    assert plan.close
    assert plan.pieces[1:] == (b"ab",)
    assert b"Connection: close\r\n" in wire(Reply(chunks=[b"ab"]), old)


def test_an_old_client_that_asks_is_kept() -> None:
    old = request(version="HTTP/1.0", connection="keep-alive")
    assert b"Connection: keep-alive\r\n" in wire(Reply(), old)


def test_a_request_without_end_is_answered_and_closed() -> None:
    broken = request(complete=False)
    assert plan_reply(Reply(), broken).close
    assert plan_raw(RawReply(b"x"), broken).close


def test_one_reply_serves_different_requests_differently() -> None:
    reply = Reply(text="abc")
    assert wire(reply, request()).endswith(b"abc")
    assert not wire(reply, request("HEAD")).endswith(b"abc")
    assert wire(reply, request()).endswith(b"abc")


def test_a_large_body_is_planned_afresh_each_time() -> None:
    reply = Reply(body=b"x" * 100_000)
    assert plan_reply(reply, request()) == plan_reply(reply, request())
    assert not reply.plans


def test_raw_bytes_go_out_as_they_are() -> None:
    plan = plan_raw(RawReply(b"HTTP/1.1 200 OK\r\n\r"), request())
    assert (plan.status, plan.pieces) == (200, (b"HTTP/1.1 200 OK\r\n\r",))
    assert plan_raw(RawReply(b"nonsense"), request()).status is None
