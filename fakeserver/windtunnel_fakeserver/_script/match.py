"""Matchers: one request against what an author asked for, criterion by criterion.

Comes in: a recorded request. Goes out: a list of ``Criterion`` results, so that a
report can say *why* something did not match. Must not know: routes, counts, replies.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import quote

from windtunnel_fakeserver._script.json_diff import Subset, json_differences
from windtunnel_fakeserver._wire.request import Request

Text: TypeAlias = str | re.Pattern[str] | Callable[[str], object]
QueryLike: TypeAlias = Mapping[str, str | Sequence[str]] | Sequence[tuple[str, str]]
BytesLike: TypeAlias = bytes | str | re.Pattern[bytes] | Callable[[bytes], object]
Where: TypeAlias = Callable[[Request], object]

SECRET_FIELDS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie"}
)
# What may stand unquoted in a path that an author wrote by hand.
_SAFE_IN_PATH = "/%:@!$&'()*+,;=~-._?[]"


@dataclass(frozen=True, slots=True)
class Criterion:
    """The result of one matcher.

    Attributes:
        name: ``method``, ``path``, ``headers authorization``, ``json $.qty`` ...
        ok: Whether it was met.
        expected: In words; secret values are masked.
        got: The same for what the request had.
    """

    name: str
    ok: bool
    expected: str = ""
    got: str = ""


@dataclass(frozen=True, slots=True)
class Matcher:
    """Everything one route asks of a request; None asks nothing."""

    method: Text | None
    path: Text | None
    headers: tuple[tuple[str, Text], ...] = ()
    query: tuple[tuple[str, str], ...] | None = None
    json: Any = ...
    body: BytesLike | None = None
    where: Where | None = None

    def matches(self, request: Request) -> bool:
        """Say whether every criterion is met; stops at the first that is not."""
        return (
            _text_ok(self.method, request.method)
            and _path_ok(self.path, request)
            and all(_header_ok(request, *pair) for pair in self.headers)
            and (self.query is None or sorted(self.query) == sorted(request.query))
            and (self.json is ... or _json_check(self.json, request).ok)
            and (self.body is None or _body_ok(self.body, request.body))
            and (self.where is None or _where_check(self.where, request).ok)
        )

    def explain(self, request: Request) -> list[Criterion]:
        """Return the result of every criterion, in the order of writing."""
        got_path = _target_path(request) if _has_query(self.path) else request.path
        results = [
            _criterion("method", self.method, request.method, _text_ok),
            Criterion(
                "path", _path_ok(self.path, request), say(self.path), quoted(got_path)
            ),
        ]
        results += [_header_check(request, name, value) for name, value in self.headers]
        if self.query is not None:
            results.append(_query_check(self.query, request.query))
        if self.json is not ...:
            results.append(_json_check(self.json, request))
        if self.body is not None:
            results.append(
                Criterion(
                    "body",
                    _body_ok(self.body, request.body),
                    say(self.body),
                    _cut(repr(request.body)),
                )
            )
        if self.where is not None:
            results.append(_where_check(self.where, request))
        return results

    def describe(self) -> str:
        """Return the arguments as an author would write them, secrets masked."""
        parts = [say(self.method), say(self.path)]
        if self.headers:
            pairs = ", ".join(
                f"{quoted(n)}: {_say_field(n, v)}" for n, v in self.headers
            )
            parts.append(f"headers={{{pairs}}}")
        if self.query is not None:
            parts.append(f"query={_cut(repr(list(self.query)))}")
        if self.json is not ...:
            parts.append(f"json={_cut(repr(self.json))}")
        if self.body is not None:
            parts.append(f"body={say(self.body)}")
        if self.where is not None:
            parts.append(f"where={say(self.where)}")
        return ", ".join(parts)


def make_matcher(
    method: Text | None,
    path: Text | None,
    *,
    headers: Mapping[str, Text] | None = None,
    query: QueryLike | None = None,
    json: Any = ...,
    body: BytesLike | None = None,
    where: Where | None = None,
) -> Matcher:
    """Check the words of an author and freeze them.

    Raises:
        TypeError: A criterion has a type that cannot be compared.
        ValueError: A path does not begin with ``/`` (or is not ``*``).
    """
    if isinstance(path, str) and not path.startswith("/") and path != "*":
        msg = f"path {path[:40]!r} must begin with '/' (or be '*' for OPTIONS)"
        raise ValueError(msg)
    for name, value in (("method", method), ("path", path)):
        if not (value is None or _is_text(value)):
            msg = f"{name} {value!r} must be str, compiled pattern, callable or None"
            raise TypeError(msg)
    fields = tuple((headers or {}).items())
    for name, value in fields:
        if not _is_text(value):
            msg = (
                f"header {name!r}: {value!r} must be str, compiled pattern or callable"
            )
            raise TypeError(msg)
    return Matcher(method, path, fields, _query_pairs(query), json, body, where)


def say(value: object) -> str:
    """Return a criterion's value as an author would write it, cut to 60."""
    if isinstance(value, str):
        return _cut(quoted(value))
    if callable(value):
        return str(getattr(value, "__qualname__", repr(value))).rpartition(".")[2]
    return _cut(repr(value))


def quoted(text: str) -> str:
    """Return a Python literal for text, in double quotes."""
    inner = repr(f"'{text}")[2:-1]
    return f'"{inner}"' if '"' not in text else repr(text)


def _is_text(value: object) -> bool:
    return isinstance(value, str | re.Pattern) or callable(value)


def _query_pairs(query: QueryLike | None) -> tuple[tuple[str, str], ...] | None:
    if query is None:
        return None
    if not isinstance(query, Mapping):
        return tuple((name, value) for name, value in query)
    pairs: list[tuple[str, str]] = []
    for name, value in query.items():
        values: Iterable[str] = (value,) if isinstance(value, str) else value
        pairs += [(name, item) for item in values]
    return tuple(pairs)


def _text_ok(wanted: Text | None, got: str) -> bool:
    if wanted is None:
        return True
    if isinstance(wanted, str):
        return wanted == got
    if isinstance(wanted, re.Pattern):
        return wanted.fullmatch(got) is not None
    return _asked(wanted, got)


def _asked(question: Callable[[Any], object], value: object) -> bool:
    """Ask an author's function; one that raises says no, as a test of values would."""
    try:
        return bool(question(value))
    except Exception:  # noqa: BLE001  # the author's code may raise anything
        return False


def _has_query(path: Text | None) -> bool:
    return isinstance(path, str) and "?" in path


def _target_path(request: Request) -> str:
    query = request.query_string
    return f"{request.path}?{query}" if query else request.path


def _path_ok(wanted: Text | None, request: Request) -> bool:
    if not isinstance(wanted, str):
        return _text_ok(wanted, request.path)
    got = _target_path(request) if "?" in wanted else request.path
    return wanted == got or quote(wanted, safe=_SAFE_IN_PATH) == got


def _header_ok(request: Request, name: str, wanted: Text) -> bool:
    return any(_text_ok(wanted, value) for value in request.header_values(name))


def _body_ok(wanted: BytesLike, got: bytes) -> bool:
    if isinstance(wanted, bytes):
        return wanted == got
    if isinstance(wanted, str):
        return wanted.encode() == got
    if isinstance(wanted, re.Pattern):
        return wanted.fullmatch(got) is not None
    return _asked(wanted, got)


def _criterion(
    name: str, wanted: Text | None, got: str, ok: Callable[[Text | None, str], bool]
) -> Criterion:
    return Criterion(name, ok(wanted, got), say(wanted), _cut(quoted(got)))


def _header_check(request: Request, name: str, wanted: Text) -> Criterion:
    values = request.header_values(name)
    got = ", ".join(_say_field(name, value) for value in values) or "absent"
    ok = _header_ok(request, name, wanted)
    return Criterion(f"header {name}", ok, _say_field(name, wanted), _cut(got))


def _say_field(name: str, value: Text) -> str:
    if name.lower() in SECRET_FIELDS and isinstance(value, str):
        return f"<masked, {len(value)} characters>"
    return say(value)


def _query_check(
    wanted: Sequence[tuple[str, str]], got: Sequence[tuple[str, str]]
) -> Criterion:
    ok = sorted(wanted) == sorted(got)
    return Criterion("query", ok, _cut(repr(list(wanted))), _cut(repr(list(got))))


def _json_check(wanted: Any, request: Request) -> Criterion:
    try:
        got = request.json()
    except ValueError:
        body = _cut(repr(request.body)) if request.body else "no body"
        return Criterion(
            "json", ok=False, expected=_cut(repr(wanted)), got=f"not JSON: {body}"
        )
    inner = wanted.value if isinstance(wanted, Subset) else wanted
    found = json_differences(inner, got, exact=not isinstance(wanted, Subset))
    if not found:
        return Criterion(
            "json", ok=True, expected=_cut(repr(wanted)), got=_cut(repr(got))
        )
    where, expected, seen = found[0]
    return Criterion(f"json {where}", ok=False, expected=_cut(expected), got=_cut(seen))


def _where_check(where: Where, request: Request) -> Criterion:
    try:
        got = bool(where(request))
    except Exception as exc:  # noqa: BLE001  # the author's code may raise anything
        return Criterion(
            "where", ok=False, expected=say(where), got=f"raised {exc!r}"[:80]
        )
    return Criterion("where", got, say(where), repr(got))


def _cut(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
