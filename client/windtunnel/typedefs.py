"""Names of ``aiohttp.typedefs`` that concern clients: what arguments may be."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from http.cookies import BaseCookie, Morsel
from typing import Any, TypeAlias

from multidict import CIMultiDict, CIMultiDictProxy, istr
from yarl import URL, Query

#: Turns a value into JSON, unless a session has another function.
DEFAULT_JSON_ENCODER = json.dumps
#: Turns JSON into a value, unless the call has another function.
DEFAULT_JSON_DECODER = json.loads

Byteish: TypeAlias = bytes | bytearray | memoryview
JSONEncoder: TypeAlias = Callable[[Any], str]
JSONBytesEncoder: TypeAlias = Callable[[Any], bytes]
JSONDecoder: TypeAlias = Callable[[str], Any]
LooseHeaders: TypeAlias = (
    Mapping[str, str]
    | Mapping[istr, str]
    | CIMultiDict[str]
    | CIMultiDictProxy[str]
    | Iterable[tuple[str | istr, str]]
)
RawHeaders: TypeAlias = tuple[tuple[bytes, bytes], ...]
StrOrURL: TypeAlias = str | URL
PathLike: TypeAlias = str | os.PathLike[str]

_Cookie: TypeAlias = str | BaseCookie[str] | Morsel[Any]
LooseCookiesMappings: TypeAlias = Mapping[str, _Cookie]
LooseCookiesIterables: TypeAlias = Iterable[tuple[str, _Cookie]]
LooseCookies: TypeAlias = LooseCookiesMappings | LooseCookiesIterables | BaseCookie[str]

__all__ = (
    "DEFAULT_JSON_DECODER",
    "DEFAULT_JSON_ENCODER",
    "Byteish",
    "JSONBytesEncoder",
    "JSONDecoder",
    "JSONEncoder",
    "LooseCookies",
    "LooseCookiesIterables",
    "LooseCookiesMappings",
    "LooseHeaders",
    "PathLike",
    "Query",
    "RawHeaders",
    "StrOrURL",
)
