"""What a simulated test may be told: command line, ini file, marker.

Comes in: pytest's configuration and the markers of one test. Goes out: ``Settings``.
Must not know: tunnels, loops, reports. Imported in every pytest run of everybody, so it
imports nothing but pytest.
"""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

FIXTURES: Final = frozenset(
    {"windtunnel", "wt_clock", "wt_server", "wt_session", "wt_cut", "make_wt_server"}
)
"""Names that make a test a simulated one when they are in its fixture closure."""

SEED_PARAMETER: Final = "_windtunnel_seed"
"""Parameter of tests that ``--windtunnel-seeds`` repeats."""

SWEEP: Final = "windtunnel_sweep"
SWEEP_HELP: Final = (
    f"{SWEEP}(reply, effects=(Eof, Reset, Stall), every=1, split=False): run the test "
    "once for each byte of the reply at which each effect can happen; the fixture "
    "wt_cut is the reply with that fault. every: take each so many bytes only; split: "
    "also deliver the reply in two segments, split at each byte."
)

MARKER_HELP: Final = (
    "windtunnel(seed=None, strict=None, start=None, latency=None): run the test on the "
    "simulated network and clock. seed: int >= 0 that decides every random choice; "
    "strict: False lets unmatched requests and unmet expectations pass; start: loop "
    "time at which the test begins, in seconds; latency: seconds a byte needs one way."
)


@dataclass(frozen=True, slots=True)
class Settings:
    """How the tunnel of one test is built; ``None`` leaves the tunnel's own default.

    Attributes:
        seed: Decides every random choice of the simulation, >= 0.
        pinned: True if a marker gave the seed, so that the command line cannot.
        strict: False lets unmatched requests and unmet expectations pass.
        start: Loop time at which the test begins, in seconds, > 0.
        latency: Seconds that a byte needs one way, >= 0.
    """

    seed: int
    pinned: bool = False
    strict: bool | None = None
    start: float | None = None
    latency: float | None = None

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments for ``Tunnel``, without the unset ones."""
        named = {
            "seed": self.seed,
            "strict": self.strict,
            "start": self.start,
            "latency": self.latency,
        }
        return {name: value for name, value in named.items() if value is not None}


def add_options(parser: pytest.Parser) -> None:
    """Declare the command line options and the ini keys."""
    group = parser.getgroup("windtunnel")
    group.addoption(
        "--windtunnel-seed",
        type=_seed,
        default=None,
        metavar="N",
        help="seed of every simulated test whose marker does not set one, >= 0",
    )
    group.addoption(
        "--windtunnel-seeds",
        type=_count,
        default=None,
        metavar="N",
        help="run every such test with N seeds, counted up from that one",
    )
    group.addoption(
        "--windtunnel-check",
        action="store_true",
        help="run every simulated test twice; it fails if its two runs differ",
    )
    group.addoption(
        "--windtunnel-trace",
        type=Path,
        default=None,
        metavar="DIR",
        help="write what happened on the network in each simulated test into DIR",
    )
    parser.addini(
        "windtunnel_seed",
        help="default for --windtunnel-seed",
        default="0",
    )
    parser.addini(
        "windtunnel_aliases",
        type="args",
        help="plain names for fixtures: any of server, session, clock",
        default=[],
    )


def is_simulated(node: pytest.Function, fixturenames: list[str] | None = None) -> bool:
    """Say if a test asks for the tunnel, by marker or by one of our fixtures.

    Args:
        node: A test function or method; others cannot be simulated.
        fixturenames: Its fixture closure, if it is at hand.
    """
    closure = node.fixturenames if fixturenames is None else fixturenames
    if not FIXTURES.isdisjoint(closure):
        return True
    return any(node.get_closest_marker(name) for name in ("windtunnel", SWEEP))


def default_seed(config: pytest.Config) -> int:
    """Return the seed of tests whose marker gives none.

    Raises:
        pytest.UsageError: The ini key is not a whole number >= 0.
    """
    chosen: int | None = config.getoption("windtunnel_seed")
    if chosen is not None:
        return chosen
    text = str(config.getini("windtunnel_seed"))
    try:
        return _seed(text)
    except ValueError:
        msg = f"ini key windtunnel_seed: {text[:40]!r} is not a whole number >= 0"
        raise pytest.UsageError(msg) from None


def repeat_for_seeds(metafunc: pytest.Metafunc) -> None:
    """Give a simulated test the seeds of ``--windtunnel-seeds``, unless it has one.

    Raises:
        pytest.UsageError: As ``settings_for``.
    """
    count: int | None = metafunc.config.getoption("windtunnel_seeds")
    if count is None or settings_for(metafunc.definition).pinned:
        return
    first = default_seed(metafunc.config)
    seeds = range(first, first + count)
    metafunc.fixturenames.append(SEED_PARAMETER)
    metafunc.parametrize(SEED_PARAMETER, seeds, ids=[f"seed={n}" for n in seeds])


def settings_for(item: pytest.Item) -> Settings:
    """Merge the markers of a test, the closest first, over the configuration.

    Raises:
        pytest.UsageError: A marker has an argument that is unknown or out of range;
            the message names the test, the argument, the value and what is allowed.
    """
    merged: dict[str, Any] = {}
    for marker in item.iter_markers("windtunnel"):
        for name, value in _checked(item, marker).items():
            merged.setdefault(name, value)
    seed = merged.pop("seed", None)
    pinned = seed is not None
    if seed is None:
        callspec = getattr(item, "callspec", None)
        repeated: dict[str, Any] = {} if callspec is None else callspec.params
        seed = repeated.get(SEED_PARAMETER, default_seed(item.config))
    return Settings(
        seed=seed,
        pinned=pinned,
        **merged,
    )


def _checked(item: pytest.Item, marker: pytest.Mark) -> dict[str, Any]:
    where = f"{item.nodeid}: @pytest.mark.windtunnel"
    if marker.args:
        msg = (
            f"{where} got {marker.args[0]!r:.40} by position, allowed are only keyword "
            f"arguments: {', '.join(_RULES)}"
        )
        raise pytest.UsageError(msg)
    for name, value in marker.kwargs.items():
        if name not in _RULES:
            near = difflib.get_close_matches(name, _RULES, 1)
            hint = f" (did you mean {near[0]}=?)" if near else ""
            msg = f"{where} got {name}=, allowed are {', '.join(_RULES)}{hint}"
            raise pytest.UsageError(msg)
        test, allowed = _RULES[name]
        if value is not None and not test(value):
            msg = f"{where}({name}={value!r:.40}): allowed is {allowed}"
            raise pytest.UsageError(msg)
    return {name: v for name, v in marker.kwargs.items() if v is not None}


def _seed(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError(text)
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


# argparse puts the name of the type into its message: "invalid seed value: 'x'".
_seed.__name__ = "seed"
_count.__name__ = "number of seeds"


def _is_seed(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_flag(value: object) -> bool:
    return type(value) is bool


def _is_start(value: object) -> bool:
    return type(value) in (int, float) and 0 < float(str(value)) <= 1_000_000


def _is_latency(value: object) -> bool:
    return type(value) in (int, float) and 0 <= float(str(value)) < math.inf


_RULES: Final = {
    "seed": (_is_seed, "a whole number >= 0"),
    "strict": (_is_flag, "True or False"),
    "start": (_is_start, "seconds, more than 0 and at most 1000000"),
    "latency": (_is_latency, "seconds, 0 or more"),
}
