"""The journal: what happened, and questions to it."""

from __future__ import annotations

import pytest

from windtunnel_fakeserver import ConnectionRecord, Exchange, Journal, Request
from windtunnel_fakeserver.errors import VerificationError


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def request(
    path: str, method: str = "GET", server: str = "http://a.test", **words: int
) -> Request:
    return Request(method, path, "HTTP/1.1", [], b"", b"raw", **words, server=server)  # type: ignore[arg-type]  # only numbers are given


def journal_of(*requests: Request) -> Journal:
    journal = Journal(Clock())
    record = journal.opened("http://a.test", "10.0.0.1:1")
    for one in requests:
        journal.exchange(one, record)
    return journal


def test_a_journal_is_a_list_of_exchanges() -> None:
    journal = journal_of(request("/a"), request("/b"))
    assert len(journal) == 2
    assert journal[0].request.path == "/a"
    assert [x.request.path for x in journal] == ["/a", "/b"]
    assert [x.number for x in journal[1:]] == [1]
    assert [r.path for r in journal.requests] == ["/a", "/b"]


def test_an_empty_journal_equals_an_empty_list() -> None:
    assert journal_of() == []
    assert journal_of(request("/a")) != []
    assert journal_of() == journal_of()
    assert journal_of() != "nothing"


def test_a_view_shows_one_server_and_grows() -> None:
    journal = journal_of()
    view = journal.view("http://b.test")
    record = journal.opened("http://b.test", "10.0.0.1:2")
    journal.exchange(request("/a"), journal.connections[0])
    mine = journal.exchange(request("/b", server="http://b.test"), record)
    assert view.exchanges == [mine]
    assert view.connections == [record]
    assert record.number == 1
    assert len(journal) == 2


def test_one_and_all_and_none_ask_by_method_and_path() -> None:
    journal = journal_of(request("/a?x=1"), request("/b"), request("/b"))
    assert journal.one("GET", "/a").target == "/a?x=1"
    assert journal.one("GET", "/a?x=1").target == "/a?x=1"
    assert len(journal.all("GET", "/b")) == 2
    assert len(journal.all("GET")) == 3
    journal.none("DELETE")
    journal.none("GET", "/a?x=2")


def test_a_wrong_guess_lists_what_there_was() -> None:
    journal = journal_of(request("/a"), request("/b", exchange=1))
    with pytest.raises(VerificationError) as caught:
        journal.one("POST", "/a")
    assert str(caught.value) == (
        "wanted exactly 1 request POST /a, the journal has 0\n"
        "  #0 GET /a  (connection 0, exchange 0, t=0.000)\n"
        "  #1 GET /b  (connection 0, exchange 1, t=0.000)"
    )
    with pytest.raises(
        VerificationError, match="wanted no request GET, the journal has 2"
    ):
        journal.none("GET")
    with pytest.raises(VerificationError, match="no request was made"):
        journal_of().one("GET")


def test_a_connection_record_tells_who_has_ended() -> None:
    clock = Clock()
    journal = Journal(clock)
    record = journal.opened("http://a.test", "10.0.0.1:1")
    journal.event(record, "in", "data", b"ab")
    journal.event(record, "out", "data", b"cd")
    journal.event(record, "in", "data", b"ef")
    assert (record.received, record.sent) == (b"abef", b"cd")
    before = record.client_open
    journal.event(record, "in", "eof")
    assert (before, record.client_open) == (True, False)
    clock.now = 2.0
    journal.closed(record)
    journal.closed(record)
    assert [e.time for e in record.events if e.kind == "close"] == [2.0]
    assert (record.closed, journal.now) == (2.0, 2.0)


def test_the_timeline_merges_connections_and_exchanges() -> None:
    clock = Clock()
    journal = Journal(clock)
    record = journal.opened("http://a.test", "10.0.0.1:1")
    journal.event(record, "in", "data", b"...")
    first = journal.exchange(request("/login", "POST"), record)
    first.sent.append(b"HTTP/1.1 100 Continue\r\n\r\n")
    _answer(first, record, 302, b"HTTP/1.1 302 Found\r\nLocation: /in\r\nX: y\r\n\r\n")
    clock.now = 1.5
    second = journal.exchange(request("/in", exchange=1, time=2), record)
    _answer(second, record, 501, b"HTTP/1.1 501 No\r\n\r\n", "unmatched", at=2.0)
    cut = journal.exchange(
        Request("PUT", "/up", "HTTP/1.1", [], b"", b"raw", time=2.0, complete=False),
        record,
    )
    assert cut.sent_raw == b""
    clock.now = 3.0
    journal.event(record, "in", "reset", b"", "timed out")
    journal.closed(record)
    assert journal.timeline() == [
        "t=0.000  c0  -  open http://a.test from 10.0.0.1:1",
        "t=0.000  c0  >  POST /login   3 B",
        "t=0.000  c0  <  302  location: /in",
        "t=2.000  c0  >  GET /in   3 B",
        "t=2.000  c0  <  (no match) 501",
        "t=2.000  c0  >  PUT /up   3 B (not complete)",
        "t=3.000  c0  >  reset timed out",
        "t=3.000  c0  -  close",
    ]
    assert journal.timeline(3) == [
        "... 6 earlier lines left out",
        "t=3.000  c0  >  reset timed out",
        "t=3.000  c0  -  close",
    ]


def test_the_timeline_of_a_script_shows_sizes_and_first_lines_but_no_fields() -> None:
    journal = Journal(Clock())
    record = journal.opened("http://a.test", "10.0.0.1:1")
    record.scripted = "script"
    journal.event(record, "in", "data", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    exchange = journal.exchange(request("/"), record)
    _answer(exchange, record, None, b"junk")
    journal.event(record, "out", "data", b"HTTP/1.1 299 " + b"\xff" * 40)
    journal.event(record, "in", "data", b"Authorization: Bearer abc\r\n")
    journal.event(record, "out", "data", b"ok")
    assert journal.timeline()[1:] == [
        "t=0.000  c0  >  27 B  'GET / HTTP/1.1'",
        "t=0.000  c0  >  GET /   3 B",
        "t=0.000  c0  <  (raw)",
        "t=0.000  c0  <  53 B  'HTTP/1.1 299 " + r"\xff" * 27 + "'...",
        "t=0.000  c0  >  27 B",
        "t=0.000  c0  <  2 B",
    ]


def _answer(
    exchange: Exchange,
    record: ConnectionRecord,
    status: int | None,
    sent: bytes,
    outcome: str = "replied",
    at: float = 0.0,
) -> None:
    exchange.reply_status = status
    exchange.replied = at
    exchange.reply_mark = len(record.events)
    exchange.sent.append(sent)
    exchange.outcome = "unmatched" if outcome == "unmatched" else "replied"
