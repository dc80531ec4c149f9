"""Deadlines are never early, and late by less than a second if they are rounded."""

from __future__ import annotations

import dataclasses
import inspect
import pickle
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from hypothesis import given, strategies as st

from windtunnel._policy.deadline import (
    DEFAULT_TIMEOUT,
    NEVER,
    ClientTimeout,
    deadline_at,
    earliest,
)


@pytest.mark.parametrize(
    ("now", "seconds", "threshold", "expected"),
    [
        pytest.param(1000.25, 4.5, 5, 1004.75, id="short-is-exact"),
        pytest.param(1000.25, 4.999, 5, 1005.249, id="just-below-is-exact"),
        pytest.param(1000.25, 5, 5, 1006.0, id="equal-to-threshold-is-ceiled"),
        pytest.param(1000.25, 5.1, 5, 1006.0, id="above-is-ceiled"),
        pytest.param(1000.0, 300, 5, 1300.0, id="whole-second-stays"),
        pytest.param(1000.25, 300, 500, 1300.25, id="caller-raises-the-threshold"),
        pytest.param(1000.25, 0.5, 0.1, 1001.0, id="caller-lowers-the-threshold"),
        pytest.param(1000.25, 0.5, 0, 1001.0, id="threshold-zero-ceils-everything"),
        pytest.param(1000.25, 0, 5, NEVER, id="zero-is-off"),
        pytest.param(1000.25, None, 5, NEVER, id="none-is-off"),
        pytest.param(1000.25, NEVER, 5, NEVER, id="infinite-is-off"),
    ],
)
def test_deadline_follows_the_ceiling_rule(
    now: float, seconds: float | None, threshold: float, expected: float
) -> None:
    assert deadline_at(now, seconds, threshold) == pytest.approx(expected, abs=1e-9)


@given(
    now=st.floats(0, 1e9),
    seconds=st.floats(0.001, 1e6),
    threshold=st.floats(0, 1e6),
)
def test_deadline_is_never_early_and_less_than_a_second_late(
    now: float, seconds: float, threshold: float
) -> None:
    when = deadline_at(now, seconds, threshold)
    assert now + seconds <= when < now + seconds + 1
    if seconds >= threshold:
        assert when == int(when)
    else:
        assert when == now + seconds


def test_earliest_deadline_wins_and_the_first_of_equals() -> None:
    assert earliest((5.0, "total"), (3.0, "connect")) == (3.0, "connect")
    assert earliest((5.0, "total"), (5.0, "connect")) == (5.0, "total")
    assert earliest((3.0, "total"), (NEVER, "connect")) == (3.0, "total")


def test_settings_have_the_compatible_fields_order_and_text() -> None:
    ours, theirs = ClientTimeout, aiohttp.ClientTimeout
    assert list(inspect.signature(ours).parameters) == list(
        inspect.signature(theirs).parameters
    )
    assert repr(ours(1, 2, 3, 4, 5)) == repr(theirs(1, 2, 3, 4, 5))
    assert ours(1, 2, 3, 4, 5).sock_read == 3


def test_settings_are_values() -> None:
    timeout = ClientTimeout(total=60)
    assert timeout == ClientTimeout(total=60.0)
    assert hash(timeout) == hash(ClientTimeout(total=60.0))
    assert pickle.loads(pickle.dumps(timeout)) == timeout
    assert dataclasses.replace(timeout, total=1).total == 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        timeout.total = 1  # type: ignore[misc]  # that is what is tested


def test_a_session_gives_up_after_five_minutes_or_thirty_seconds_of_connecting() -> (
    None
):
    assert ClientTimeout(total=300, sock_connect=30) == DEFAULT_TIMEOUT


def test_other_number_types_become_floats() -> None:
    timeout = ClientTimeout(total=Decimal("2.5"))  # type: ignore[arg-type]  # tested
    assert type(timeout.total) is float
    assert timeout.total == 2.5


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(ClientTimeout)])
@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        pytest.param("5", TypeError, "'5' is not a number of seconds", id="str"),
        pytest.param([], TypeError, "is not a number of seconds", id="list"),
        pytest.param(-1, ValueError, "=-1 is not a time span", id="negative"),
        pytest.param(float("nan"), ValueError, "=nan is not a time span", id="nan"),
    ],
)
def test_a_value_that_is_no_time_span_is_refused_with_the_name_of_the_field(
    field: str, value: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        ClientTimeout(**{field: value})
    assert str(caught.value).startswith(f"{field}=")


def test_no_ceiling_threshold_is_refused() -> None:
    with pytest.raises(TypeError, match="ceil_threshold=None"):
        ClientTimeout(ceil_threshold=None)  # type: ignore[arg-type]  # tested
