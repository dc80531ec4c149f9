"""Results of actions and requests on the wire against what a case accepts.

Comes in: expectations, an adapter's results, and seen connections. Goes out: notes in a
``Comparison``. Must not know: verdicts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windtunnel_conformance.acceptable import (
    Absent,
    AnyOf,
    Equal,
)
from windtunnel_conformance.errors import is_error
from windtunnel_conformance.matching import (
    MISSING,
    Comparison,
    describe,
    field_value,
    read_bytes,
    show,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from windtunnel_conformance.acceptable import Matcher, SentFrame, SentRequest
    from windtunnel_conformance.case import Json
    from windtunnel_conformance.outcome import SeenConnection, SeenRequest

_BYTE_KEYS = ("body", "partial")

_ALWAYS_SEEN = ("status", "body")
"""No adapter is blind to these when a request succeeds: a missing one is a mismatch."""


def compare_got(
    name: str,
    expected: Mapping[str, Matcher],
    result: Mapping[str, Json] | None,
    into: Comparison,
) -> None:
    """Compare the result of one action.

    A result with an error matches only expectations that have ``error``. A key that a
    library does not expose is left out of its result; it is then not compared.

    Args:
        name: Of the action.
        expected: Key to expected value.
        result: What the adapter reported. None: the action has no result.
        into: Gets the differences.
    """
    path = f"got.{name}"
    if result is None:
        into.differ(path, "a result", "none; an earlier action failed")
        return
    error = result.get("error")
    _compare_error(f"{path}.error", expected.get("error", Absent()), error, into)
    for key, matcher in expected.items():
        if key == "error":
            continue
        where = f"{path}.{key}"
        if key in result:
            into.check(where, matcher, _value(key, result[key]))
        elif isinstance(matcher, Absent):
            continue
        elif error is None and key in _ALWAYS_SEEN:
            into.check(where, matcher, MISSING)
        else:
            into.not_compared.append(where)


def _value(key: str, value: Json) -> object:
    if key in _BYTE_KEYS:
        data = read_bytes(value)
        return value if data is None else data
    return value


def _compare_error(path: str, expected: Matcher, error: Json, into: Comparison) -> None:
    if error is None:
        if not isinstance(expected, Absent):
            into.differ(path, describe(expected), "no error")
        return
    if isinstance(expected, Absent):
        into.differ(path, "no error", _show_error(error))
    elif not _error_matches(expected, error):
        into.differ(path, describe(expected), _show_error(error))


def _error_matches(expected: Matcher, error: Json) -> bool:
    if isinstance(expected, AnyOf):
        return any(_error_matches(option, error) for option in expected.options)
    return (
        isinstance(expected, Equal)
        and isinstance(expected.value, str)
        and is_error(_text(error, "class"), expected.value)
    )


def _show_error(error: Json) -> str:
    raw = _text(error, "raw") or _text(error, "message")
    return f"{_text(error, 'class') or 'an error without class'} ({show(raw)})"


def _text(error: Json, key: str) -> str:
    value = error.get(key) if isinstance(error, dict) else None
    return value if isinstance(value, str) else ""


def compare_sent(
    expected: Sequence[SentRequest],
    connections: Sequence[SeenConnection],
    into: Comparison,
) -> None:
    """Compare all requests on the wire, in order of arrival."""
    seen = [
        (connection.origin, request)
        for connection in connections
        for request in connection.requests
    ]
    seen.sort(key=lambda pair: pair[1].time)
    if len(seen) != len(expected):
        lines = ", ".join(show(request.line) for _, request in seen) or "none"
        into.differ("sent", f"{len(expected)} requests", f"{len(seen)}: {lines}")
    for index, (wanted, (origin, request)) in enumerate(
        zip(expected, seen, strict=False)
    ):
        path = f"sent[{index}]"
        if wanted.peer not in (None, origin):
            into.differ(f"{path}.peer", show(wanted.peer), show(origin))
        _compare_request(path, wanted, request, into)


def compare_frames(
    expected: Sequence[SentFrame],
    connections: Sequence[SeenConnection],
    into: Comparison,
) -> None:
    """Compare all WebSocket frames of the client, connection by connection."""
    seen = [frame for connection in connections for frame in connection.frames]
    if len(seen) != len(expected):
        names = ", ".join(frame.op for frame in seen) or "none"
        into.differ("frames", f"{len(expected)} frames", f"{len(seen)}: {names}")
    for index, (wanted, frame) in enumerate(zip(expected, seen, strict=False)):
        path = f"frames[{index}]"
        for key in ("op", "fin", "rsv", "masked"):
            value = getattr(wanted, key)
            if value is not None:
                into.check(f"{path}.{key}", Equal(value), getattr(frame, key))
        if wanted.payload is not None:
            into.check(f"{path}.payload", wanted.payload, frame.payload)


def _compare_request(
    path: str, wanted: SentRequest, request: SeenRequest, into: Comparison
) -> None:
    parts: tuple[tuple[str, Matcher | None, object], ...] = (
        ("line", wanted.line, request.line),
        ("method", wanted.method, request.method),
        ("target", wanted.target, request.target),
        ("body", wanted.body, request.body),
        ("raw", wanted.raw, request.raw),
    )
    for key, matcher, value in parts:
        if matcher is not None:
            into.check(f"{path}.{key}", matcher, value)
    for name, matcher in wanted.headers.items():
        value = field_value(matcher, name, request.headers)
        into.check(f"{path}.headers.{name}", matcher, value)
    for name, matcher in wanted.once.items():
        values = [value for key, value in request.headers if key.lower() == name]
        if len(values) == 1:
            into.check(f"{path}.once.{name}", matcher, values[0])
        else:
            into.differ(f"{path}.once.{name}", "one field line", show(values))
    for name in wanted.absent:
        values = [value for key, value in request.headers if key.lower() == name]
        if values:
            into.differ(f"{path}.absent.{name}", "no field line", show(values))
    if wanted.body_like:
        into.check_template(f"{path}.body_like", wanted.body_like, request.body)
