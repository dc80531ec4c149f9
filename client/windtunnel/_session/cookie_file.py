"""A jar of cookies as a file: JSON, in the format that aiohttp writes.

Records come in and go out; the rest is text. Old files of aiohttp are pickles, which
can run any program: they are refused.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from windtunnel._policy.cookie_rules import ATTRIBUTES, is_name, is_sendable
from windtunnel._policy.morsels import morsel

if TYPE_CHECKING:
    from http.cookies import Morsel

_ENDS, _HOST_ONLY = "expires_timestamp", "host_only"


class Record(NamedTuple):
    """One cookie in a file.

    Attributes:
        domain: Its domain, empty for every host.
        path: Its path, without the slash at the end.
        cookie: Name, value and attributes.
        ends: When it ends, in seconds since 1970, None if it does not.
        is_host_only: Whether only the host itself gets it.
    """

    domain: str
    path: str
    cookie: Morsel[str]
    ends: float | None
    is_host_only: bool


def write(file_path: str | os.PathLike[str], records: list[Record]) -> None:
    """Write a file that only its owner may read; it appears whole or not at all."""
    content: dict[str, dict[str, dict[str, Any]]] = {}
    for record in records:
        group = content.setdefault(f"{record.domain}|{record.path}", {})
        group[record.cookie.key] = _entry(record)
    path = os.fspath(file_path)
    part = f"{path}.{os.getpid()}.part"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=2)
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(part)
        raise


def _entry(record: Record) -> dict[str, Any]:
    cookie = record.cookie
    entry: dict[str, Any] = {
        "key": cookie.key,
        "value": cookie.value,
        "coded_value": cookie.coded_value,
    }
    entry.update((name, value) for name, value in cookie.items() if value)
    if record.is_host_only:
        entry[_HOST_ONLY] = True
    if record.ends is not None:
        entry[_ENDS] = record.ends
    return entry


def read(file_path: str | os.PathLike[str]) -> list[Record]:
    """Read a file.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not a file of cookies.
    """
    with open(file_path, encoding="utf-8") as file:
        try:
            content: Any = json.load(file)
            return [
                _record(place, entry)
                for place, group in content.items()
                for entry in group.values()
            ]
        except (ValueError, AttributeError, TypeError, KeyError) as exc:
            msg = f"{os.fspath(file_path)!r} is not a file of cookies: {exc!r}"
            raise ValueError(msg) from exc


def _record(place: str, entry: dict[str, Any]) -> Record:
    domain, bar, path = place.partition("|")
    name, value, coded = entry["key"], entry["value"], entry["coded_value"]
    ends = None if (end := entry.get(_ENDS)) is None else float(end)
    if (
        not bar
        or not is_name(name)
        or not is_sendable(value)
        or not is_sendable(coded)
        or not (ends is None or isfinite(ends))
    ):
        msg = f"cookie {name!r} of {place!r} is not a cookie"
        raise ValueError(msg)
    attributes = {
        name: value
        for name, value in entry.items()
        if name in ATTRIBUTES and isinstance(value, (str, bool))
    }
    return Record(
        domain,
        path,
        morsel(name, value, coded, attributes),
        ends,
        bool(entry.get(_HOST_ONLY)),
    )
