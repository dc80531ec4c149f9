"""The small parts of the runner, each by itself."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.worlds import description, make_case
from windtunnel_conformance.adapters.base import (
    AdapterUnavailableError,
    UnsupportedActionError,
    given_bytes,
    report_bytes,
)
from windtunnel_conformance.adapters.catalogue import NAMES, open_adapter, open_command
from windtunnel_conformance.adapters.codings import with_codings
from windtunnel_conformance.adapters.conversation import (
    Conversation,
    describe_error,
    pairs,
    timed_chunks,
)
from windtunnel_conformance.adapters.process import ProcessAdapter
from windtunnel_conformance.adapters.signals import Signals
from windtunnel_conformance.adapters.trust import client_context
from windtunnel_conformance.capabilities import missing_capability, unreachable_origin
from windtunnel_conformance.case import ClockSettings, Level
from windtunnel_conformance.clock import (
    MAX_SCALE,
    Resolution,
    measure_lateness,
    percentile,
    scaled_timing,
)
from windtunnel_conformance.lanes import Lanes
from windtunnel_conformance.loader import Corpus
from windtunnel_conformance.selection import SelectionError, Wanted, select
from windtunnel_conformance.watchdog import StuckError, real_limit

if TYPE_CHECKING:
    from windtunnel_conformance.adapters.base import ActionResult, JsonObject

# -- bytes --------------------------------------------------------------------------


def test_bytes_are_reported_as_text_up_to_64_kib_and_as_digest_above() -> None:
    assert report_bytes(b"\x00\xff") == "\x00\u00ff"
    assert report_bytes(b"x" * 65536) == "x" * 65536
    digest: Any = report_bytes(b"x" * 65537)
    assert digest["len"] == 65537
    assert given_bytes(digest["head"]) == b"x" * 256


@pytest.mark.parametrize(
    ("value", "words"),
    [
        pytest.param("\u20ac", "has '\u20ac' at 0", id="wide"),
        pytest.param({"b64": "a"}, "base64 text 'a'", id="base64"),
        pytest.param(7, "byte value '7'", id="number"),
    ],
)
def test_a_byte_value_that_is_none_is_refused(value: Any, words: str) -> None:
    with pytest.raises(ValueError, match=r"byte|base64") as caught:
        given_bytes(value)
    assert words in str(caught.value)


# -- signals ------------------------------------------------------------------------


def test_an_event_that_was_raised_before_is_not_waited_for() -> None:
    async def main() -> list[str]:
        heard: list[str] = []
        signals = Signals()
        signals.listen(heard.append)
        signals.set("a")
        signals.set("a")
        await signals.wait("a")
        return heard

    assert asyncio.run(main()) == ["a"]


# -- conversation -------------------------------------------------------------------


class Driver:
    """A driver whose every request fails in the way a test chooses."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def request(
        self, name: str, fields: JsonObject, result: ActionResult
    ) -> None:
        if fields.get("url") == "body":
            result["status"] = 200
        raise self._error

    async def read(self, name: str, size: int | None, result: ActionResult) -> None:
        raise NotImplementedError

    async def close(self, name: str, fields: JsonObject, result: ActionResult) -> None:
        raise NotImplementedError

    async def websocket(
        self, verb: str, name: str, fields: JsonObject, result: ActionResult
    ) -> None:
        raise NotImplementedError


class _HiddenError(LookupError):
    pass


def converse(*actions: Any, error: Exception | None = None) -> Any:
    """Play actions and return their results."""

    async def main() -> Any:
        conversation = Conversation(Driver(error or LookupError("x")), Signals(), 1.0)
        await conversation.play(actions)
        return conversation.results

    return asyncio.run(main())


def test_an_error_is_reported_by_its_public_name_and_where_it_came() -> None:
    results = converse(
        {"as": "head", "request": {"url": "head"}},
        {"as": "body", "request": {"url": "body"}},
        error=_HiddenError("gone"),
    )
    assert results["head"]["error"] == {"raw": "LookupError: gone", "message": "gone"}
    assert results["body"]["error"]["phase"] == "body"
    assert (
        describe_error(OSError(3, "no")).get("raw")
        == "ProcessLookupError: [Errno 3] no"
    )


def test_an_action_that_nobody_knows_is_unsupported() -> None:
    with pytest.raises(UnsupportedActionError, match="'dance'"):
        converse({"as": "r", "dance": {}})


@pytest.mark.parametrize(
    ("action", "error"),
    [
        pytest.param("request", TypeError, id="no-object"),
        pytest.param({"as": "r"}, ValueError, id="no-verb"),
        pytest.param({"request": {}}, ValueError, id="no-name"),
    ],
)
def test_an_action_without_shape_is_refused(
    action: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match="action"):
        converse(action)


def test_pairs_are_pairs() -> None:
    assert pairs([["a", 1], ["b", "c"]]) == [("a", "1"), ("b", "c")]
    with pytest.raises(ValueError, match="not a pair"):
        pairs(["a"])


def test_chunks_may_be_one_value_and_waits_are_scaled() -> None:
    async def main() -> list[bytes]:
        parts: Any = ["a", {"wait": 0.0}, {"b64": "Yg=="}]
        found = [piece async for piece in timed_chunks(parts, 1.0)]
        return found + [piece async for piece in timed_chunks("c", 1.0)]

    assert asyncio.run(main()) == [b"a", b"b", b"c"]


# -- catalogue ----------------------------------------------------------------------


def test_every_name_of_the_catalogue_opens() -> None:
    for name in NAMES:
        assert hasattr(open_adapter(name), "describe")


def test_a_name_that_nobody_has_is_answered_with_all_names() -> None:
    with pytest.raises(ValueError, match="windtunnel, aiohttp, httpx, node"):
        open_adapter("curl")


def test_a_library_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(
        sys.modules, "windtunnel_conformance.adapters.httpx", raising=False
    )
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(AdapterUnavailableError, match="pip install httpx"):
        open_adapter("httpx")


def test_a_command_line_is_split_like_a_shell_would() -> None:
    assert isinstance(open_command("node 'an adapter.mjs'"), ProcessAdapter)
    with pytest.raises(ValueError, match="No closing quotation"):
        open_command("node 'an")


def test_optional_codings_are_those_whose_module_is_installed() -> None:
    found = with_codings(("tls",), br="no_such json", zstd="no.such.package")
    assert found == ("decode.br", "tls")


def test_without_an_authority_nobody_is_trusted() -> None:
    assert client_context("") is client_context("")
    assert client_context("").get_ca_certs() == []


# -- clock --------------------------------------------------------------------------


def test_real_time_is_slow_enough_for_the_smallest_gap() -> None:
    quick = Resolution(jitter=0.0001, min_timeout=0.001, step=0.001)
    coarse = Resolution(jitter=0.0001, min_timeout=0.001, step=0.02)
    assert _scale(ClockSettings(), coarse) == 0.02
    assert _scale(ClockSettings(gap=1.0), quick) == 0.02
    assert _scale(ClockSettings(gap=1.0), coarse) == pytest.approx(0.08)
    assert _scale(ClockSettings(gap=0.4), coarse) == pytest.approx(MAX_SCALE)
    assert scaled_timing(ClockSettings(gap=0.3), coarse) is None
    assert scaled_timing(ClockSettings(mode="virtual"), quick) is None


def _scale(clock: ClockSettings, resolution: Resolution) -> float:
    timing = scaled_timing(clock, resolution)
    assert timing is not None
    assert not timing.virtual
    assert (timing.jitter, timing.step) == (resolution.jitter, resolution.step)
    return timing.scale


def test_percentiles_are_samples() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([3.0, 1.0, 2.0], 0.99) == 3.0
    assert percentile([], 0.5) == 0.0


def test_lateness_is_measured_in_seconds() -> None:
    assert 0.0 <= asyncio.run(measure_lateness()) < 5.0


# -- lanes --------------------------------------------------------------------------


def test_who_works_alone_waits_for_all_and_lets_nobody_in() -> None:
    log: list[str] = []

    async def main() -> None:
        lanes, go = Lanes(2), asyncio.Event()

        async def shared(name: str) -> None:
            async with lanes.shared():
                log.append(f"{name} in")
                await go.wait()
                log.append(f"{name} out")

        async def alone() -> None:
            async with lanes.alone():
                log.append("alone in")
                await asyncio.sleep(0)
                log.append("alone out")

        async with asyncio.TaskGroup() as group:
            group.create_task(shared("a"))
            group.create_task(shared("b"))
            await asyncio.sleep(0)
            group.create_task(alone())
            group.create_task(shared("c"))
            for _ in range(5):
                await asyncio.sleep(0)
            go.set()

    asyncio.run(main())
    assert log == [
        *("a in", "b in", "a out", "b out"),
        *("alone in", "alone out", "c in", "c out"),
    ]


def test_there_is_always_a_lane() -> None:
    async def main() -> bool:
        async with Lanes(0).shared():
            return True

    assert asyncio.run(main())


# -- watchdog -----------------------------------------------------------------------


def test_code_that_never_ends_is_interrupted_where_it_is() -> None:
    def forever() -> None:
        while True:
            pass

    with pytest.raises(StuckError, match="forever line"), real_limit(0.05):
        forever()


def test_a_thread_runs_without_a_limit() -> None:
    ran: list[bool] = []

    def work() -> None:
        with real_limit(0.0001):
            ran.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ran == [True]


# -- capabilities and selection -----------------------------------------------------


def test_all_that_a_client_lacks_is_named() -> None:
    case = make_case(head='needs = ["tls", "keepalive", "proxy"]')
    assert missing_capability(case, description()) == "the client lacks tls, proxy"
    assert unreachable_origin(make_case().base) == ""


def corpus() -> Corpus:
    """Return three cases in two families."""
    cases = [
        make_case(id="framing/one"),
        make_case(id="framing/chunked/two", level="should"),
        make_case(id="framings/three"),
    ]
    return Corpus({case.id: case for case in cases})


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        pytest.param(
            Wanted(), ["framing/one", "framing/chunked/two", "framings/three"], id="all"
        ),
        pytest.param(
            Wanted(families=("framing",)),
            ["framing/one", "framing/chunked/two"],
            id="family-and-below",
        ),
        pytest.param(
            Wanted(families=("framing/chunked/",)), ["framing/chunked/two"], id="part"
        ),
        pytest.param(Wanted(ids=("framings/three",)), ["framings/three"], id="id"),
        pytest.param(
            Wanted(levels=(Level.SHOULD,)), ["framing/chunked/two"], id="level"
        ),
    ],
)
def test_cases_are_picked_by_family_id_and_level(
    wanted: Wanted, ids: list[str]
) -> None:
    assert [case.id for case in select(corpus(), wanted)] == ids


def test_a_selection_of_nothing_says_so() -> None:
    with pytest.raises(SelectionError, match="no case fits"):
        select(corpus(), Wanted(families=("framings",), levels=(Level.SHOULD,)))
