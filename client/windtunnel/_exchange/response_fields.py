"""Fields of a response that are small languages: Link and Content-Disposition.

Field values come in, plain values go out. It is loaded when somebody asks for one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from multidict import MultiDict, MultiDictProxy
from yarl import URL

from windtunnel._body.disposition import (
    content_disposition_filename,
    parse_content_disposition,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Links = MultiDictProxy[MultiDictProxy[str | URL]]

# Each piece of a Link field: a target, a parameter, or a quote that belongs to neither.
# Possessive, and a quote without its partner reaches to the end of the field, so that a
# hostile field cannot have its parts looked at again and again.
_QUOTE = r'"(?:[^"\\]|\\.)*+(?:"|\Z)'
_PIECE = re.compile(
    rf"""<(?P<target>[^<>]*+)>
    |;[ \t]*+(?P<name>[^=;,<>"\s]++)[ \t]*+=[ \t]*+(?P<value>{_QUOTE}|'[^']*+'|[^;"<]*+)
    |{_QUOTE}
    """,
    re.VERBOSE,
)
_QUOTED_PAIR = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class ContentDisposition:
    """What a response says of how it is to be saved.

    Attributes:
        type: Such as "attachment", in lower case; None if the field cannot be read.
        parameters: All of them, read only.
        filename: The name to save it under, None if there is none. It may contain a
            path: never write to it unseen.
    """

    type: str | None
    parameters: Mapping[str, str]
    filename: str | None


def content_disposition(value: str) -> ContentDisposition:
    """Read a Content-Disposition field. Spec: RFC 6266."""
    kind, parameters = parse_content_disposition(value)
    return ContentDisposition(
        kind, MappingProxyType(parameters), content_disposition_filename(parameters)
    )


def parse_links(values: Iterable[str], base: URL) -> Links:
    """Read Link fields.

    Args:
        values: The fields.
        base: What relative targets are joined to.

    Returns:
        For each link, under its ``rel`` (or its target as it was written, if it has
        none), the parameters and the joined "url". Parameters that cannot be read, and
        links whose target is no URL, are left out.

    Spec: RFC 8288 section 3. Compat: aiohttp takes single quotes, too.
    """
    found: list[tuple[str, MultiDict[str | URL]]] = []
    for value in values:
        for piece in _PIECE.finditer(value):
            if piece["target"] is not None:
                found.append((piece["target"], MultiDict()))
            elif piece["name"] and found:
                found[-1][1].add(piece["name"], _unquoted(piece["value"]))
    links: MultiDict[MultiDictProxy[str | URL]] = MultiDict()
    for target, link in found:
        try:
            link.add("url", base.join(URL(target)))
        except ValueError:
            continue
        links.add(str(link.get("rel", target)), MultiDictProxy(link))
    return MultiDictProxy(links)


def _unquoted(value: str) -> str:
    if value.startswith('"'):
        return _QUOTED_PAIR.sub(r"\1", value[1:].removesuffix('"'))
    if value.startswith("'") and value.endswith("'"):
        return value[1:-1]
    return value.rstrip(" \t,")
