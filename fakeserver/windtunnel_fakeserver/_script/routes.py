"""Routes and the order in which they are asked; counts of calls.

Comes in: the author's ``on``, ``expect``, ``enqueue``, and requests. Goes out: what
answers a request, and what is still owed. Must not know: sockets, apps, reports.

Order of asking: the newest ``expect`` that still owes a call, then older ones, then
the newest ``on``, then what ``enqueue`` has left.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from windtunnel_fakeserver._script.match import Criterion, Matcher
from windtunnel_fakeserver._script.reply import Answer, RawReply, Reply
from windtunnel_fakeserver._wire.compat import override

if TYPE_CHECKING:
    from windtunnel_fakeserver._wire.request import Request


@dataclass(frozen=True, slots=True)
class Place:
    """Where an author wrote something, ``tests/test_shop.py:41``."""

    file: str
    line: int

    @override
    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Route:
    """What answers the requests that one matcher takes, and the calls so far.

    Made by ``FakeServer.on`` and ``FakeServer.expect``. Without a reply it answers
    200 with an empty body.

    Attributes:
        verb: ``on`` may be called any number of times; ``expect`` must be called,
            once per reply given unless ``times`` says otherwise.
        matcher: What it asks of a request.
        place: Where it was defined.
        calls: Requests that it answered, in order.
    """

    __slots__ = ("_answers", "_times", "_words", "calls", "matcher", "place", "verb")

    def __init__(
        self,
        verb: Literal["on", "expect"],
        matcher: Matcher,
        place: Place,
        times: int | None = None,
    ) -> None:
        if times is not None and times < 1:
            msg = f"expect(times={times!r}): must be >= 1, use journal.none() for never"
            raise ValueError(msg)
        self.verb: Literal["on", "expect"] = verb
        self.matcher = matcher
        self.place = place
        self.calls: list[Request] = []
        self._times = times
        self._answers: list[Answer] = []
        self._words = ""

    def reply(self, *answers: Reply | Any) -> Route:
        """Add replies, used one per call in order; the last repeats.

        Args:
            answers: Replies, or functions (plain or async) from the request to a
                reply.

        Raises:
            TypeError: Something is neither a ``Reply`` nor callable.
            ValueError: There would be more replies than ``times``.
        """
        for answer in answers:
            if not (isinstance(answer, Reply) or callable(answer)):
                msg = (
                    f"reply({answer!r}): must be Reply(...) or a function returning one"
                )
                raise TypeError(msg)
        return self._add(list(cast("tuple[Answer, ...]", answers)))

    def raw(self, *data: bytes) -> Route:
        """Add replies that are exact bytes, sent as they are.

        The connection stays open behind them, unless the request asked for a close.

        Raises:
            TypeError: Something is not bytes.
        """
        for item in cast("tuple[object, ...]", data):
            if not isinstance(item, bytes):
                msg = f"raw() takes bytes, not {type(item).__name__}"
                raise TypeError(msg)
        return self._add([RawReply(item) for item in data])

    def _add(self, answers: list[Answer]) -> Route:
        total = len(self._answers) + len(answers)
        if self._times is not None and total > self._times:
            msg = (
                f"{total} replies for {self._times} calls: the last would never be used"
            )
            raise ValueError(msg)
        self._answers += answers
        return self

    @property
    def count(self) -> int:
        """How many requests it answered."""
        return len(self.calls)

    @property
    def called(self) -> bool:
        """Whether it answered any request."""
        return bool(self.calls)

    @property
    def last(self) -> Request:
        """The newest request that it answered.

        Raises:
            LookupError: It was not called.
        """
        if not self.calls:
            msg = f"{self.describe()} was not called"
            raise LookupError(msg)
        return self.calls[-1]

    @property
    def wanted(self) -> int:
        """Calls that must come: 0 for ``on``."""
        if self.verb == "on":
            return 0
        return self._times if self._times is not None else max(1, len(self._answers))

    @property
    def owes(self) -> bool:
        """Whether calls that must come have not come yet."""
        return len(self.calls) < self.wanted

    def take(self, request: Request) -> Answer:
        """Count a call and return what answers it."""
        self.calls.append(request)
        if not self._answers:
            return Reply()
        return self._answers[min(len(self.calls), len(self._answers)) - 1]

    def explain(self, request: Request) -> list[Criterion]:
        """Return the matcher's results, and whether a call was still owed."""
        results = self.matcher.explain(request)
        if self.verb == "expect" and not self.owes:
            used = f"{self.count} of {self.wanted} calls already used"
            results.append(Criterion("calls", ok=False, expected="one more", got=used))
        return results

    def describe(self) -> str:
        """Return the call that made it, ``expect("GET", "/")``, secrets masked."""
        if not self._words:
            self._words = f"{self.verb}({self.matcher.describe()})"
        return self._words


class Routes:
    """The routes and queued replies of one server."""

    __slots__ = ("queue", "routes")

    def __init__(self) -> None:
        self.routes: list[Route] = []
        self.queue: deque[Reply] = deque()

    def find(self, request: Request) -> tuple[Answer, str] | None:
        """Return what answers a request and words for it, counting the call."""
        route = self._pick(request)
        if route is not None:
            return route.take(request), route.describe()
        if self.queue:
            return self.queue.popleft(), "enqueue(...)"
        return None

    def _pick(self, request: Request) -> Route | None:
        for route in reversed(self.routes):
            if route.owes and route.matcher.matches(request):
                return route
        for route in reversed(self.routes):
            if route.verb == "on" and route.matcher.matches(request):
                return route
        return None

    def nearest(self, request: Request) -> tuple[Route, list[Criterion]] | None:
        """Return the route that misses the fewest criteria, newest first on a tie."""
        best: tuple[int, Route, list[Criterion]] | None = None
        for route in reversed(self.routes):
            results = route.explain(request)
            misses = _distance(results)
            if best is None or misses < best[0]:
                best = (misses, route, results)
        return best[1:] if best else None


def _distance(results: list[Criterion]) -> int:
    # A wrong path or method is a different endpoint; a wrong field is a near miss.
    weights = {"path": 4, "method": 3}
    return sum(weights.get(r.name, 1) for r in results if not r.ok)
