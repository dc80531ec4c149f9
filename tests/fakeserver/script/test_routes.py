"""Routes: order of asking, counts, replies in sequence."""

from __future__ import annotations

from typing import Any

import pytest

from windtunnel_fakeserver import Reply, Request, Route
from windtunnel_fakeserver._script.match import make_matcher
from windtunnel_fakeserver._script.reply import RawReply
from windtunnel_fakeserver._script.routes import Place, Routes

PLACE = Place("tests/test_shop.py", 41)


def request(path: str = "/", method: str = "GET") -> Request:
    return Request(method, path, "HTTP/1.1", [], b"", b"")


def route(verb: Any, path: str = "/", **words: Any) -> Route:
    times = words.pop("times", None)
    return Route(verb, make_matcher("GET", path, **words), PLACE, times)


def test_the_newest_expectation_comes_first_then_older_then_the_newest_on() -> None:
    routes = Routes()
    names = ["on-old", "expect-old", "on-new", "expect-new"]
    for name in names:
        verb = name.split("-")[0]
        routes.routes.append(route(verb).reply(Reply(reason=name)))
    order: list[str | None] = []
    for _ in range(4):
        found = routes.find(request())
        assert found is not None
        assert isinstance(found[0], Reply)
        order.append(found[0].reason)
    assert order == ["expect-new", "expect-old", "on-new", "on-new"]


def test_what_fits_no_route_takes_from_the_queue_until_it_is_empty() -> None:
    routes = Routes()
    routes.routes.append(route("on", "/a"))
    routes.queue.append(Reply(299))
    found = routes.find(request("/b"))
    assert found is not None
    assert found[1] == "enqueue(...)"
    assert routes.find(request("/b")) is None
    assert routes.find(request("/a")) is not None


def test_on_repeats_its_last_reply() -> None:
    one, two = Reply(201), Reply(202)
    on = route("on").reply(one, two)
    assert [on.take(request()) for _ in range(3)] == [one, two, two]
    assert not on.owes
    assert on.wanted == 0


@pytest.mark.parametrize(
    ("times", "replies", "wanted"),
    [
        pytest.param(None, 0, 1, id="none-means-once"),
        pytest.param(None, 1, 1, id="one"),
        pytest.param(None, 3, 3, id="once-per-reply"),
        pytest.param(4, 2, 4, id="times"),
    ],
)
def test_expect_owes_its_calls(times: int | None, replies: int, wanted: int) -> None:
    expectation = route("expect", times=times).reply(*[Reply()] * replies)
    assert expectation.wanted == wanted
    for _ in range(wanted):
        assert expectation.owes
        expectation.take(request())
    assert not expectation.owes


def test_replies_and_raw_bytes_mix_in_order() -> None:
    mixed = route("on").raw(b"a").reply(Reply(201)).raw(b"b")
    taken = [mixed.take(request()) for _ in range(3)]
    assert taken[0] == RawReply(b"a")
    assert isinstance(taken[1], Reply)
    assert taken[2] == RawReply(b"b")


def test_a_route_without_reply_answers_200() -> None:
    answer = route("on").take(request())
    assert isinstance(answer, Reply)
    assert answer.status == 200


def test_calls_can_be_asked_for() -> None:
    asked = route("on")
    assert not asked.called
    with pytest.raises(LookupError, match=r'on\("GET", "/"\) was not called'):
        _ = asked.last
    first, second = request(), request()
    asked.take(first)
    asked.take(second)
    assert (asked.count, asked.called, asked.calls) == (2, True, [first, second])
    assert asked.last is second


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        pytest.param(
            lambda: route("expect", times=0), ValueError, "must be >= 1", id="times"
        ),
        pytest.param(
            lambda: route("expect", times=1).reply(Reply(), Reply()),
            ValueError,
            "2 replies for 1 calls",
            id="too-many-replies",
        ),
        pytest.param(
            lambda: route("on").reply(b"x"), TypeError, "must be Reply", id="bytes"
        ),
        pytest.param(
            lambda: route("on").raw("x"),  # type: ignore[arg-type]  # the point
            TypeError,
            "takes bytes, not str",
            id="raw-str",
        ),
    ],
)
def test_wrong_words_are_refused_at_the_call(
    words: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        words()


def test_the_nearest_route_misses_the_least_and_the_newest_wins_a_tie() -> None:
    routes = Routes()
    assert routes.nearest(request()) is None
    near = route("on", "/a", headers={"x": "1"})
    for one in (route("on", "/b"), near, route("on", "/c", headers={"x": "1"})):
        routes.routes.append(one)
    found = routes.nearest(request("/a"))
    assert found is not None
    assert found[0] is near


def test_a_used_up_expectation_says_so() -> None:
    routes = Routes()
    used = route("expect")
    used.take(request())
    routes.routes.append(used)
    found = routes.nearest(request())
    assert found is not None
    assert found[1][-1].got == "1 of 1 calls already used"
    assert str(used.place) == "tests/test_shop.py:41"
