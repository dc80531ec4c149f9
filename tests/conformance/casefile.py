"""Texts of small case files, for the tests of loader and judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windtunnel_conformance.loader import parse_case

if TYPE_CHECKING:
    from windtunnel_conformance.case import Case, Variant

FILE = "family/slug.toml"

HEAD = """
format = 1
id = "family/slug"
title = "A title"
level = "must"
spec = ["rfc9112#3"]
"""

CLIENT = """
[[client]]
as = "r"
request = { method = "GET", url = "${a}/" }
"""

PEER = """
[[peer]]
steps = [{ read = "request" }, { send = "HTTP/1.1 200 OK\\r\\n\\r\\n" }]
"""

EXPECT = """
[[expect]]
verdict = "pass"
[expect.got.r]
status = 200
"""


def text(
    *,
    head: str = HEAD,
    top: str = "",
    client: str = CLIENT,
    peer: str = PEER,
    expect: str = EXPECT,
) -> str:
    """Return a case file made of parts."""
    return "\n".join((head, top, client, peer, expect))


def case(**parts: str) -> Case:
    """Return the case of such a file."""
    return parse_case(text(**parts), FILE)


def variant(**parts: str) -> Variant:
    """Return its base variant."""
    return case(**parts).base
