"""Link and Content-Disposition fields of a response."""

from __future__ import annotations

import time

import pytest
from yarl import URL

from windtunnel._exchange.response_fields import (
    ContentDisposition,
    content_disposition,
    parse_links,
)
from windtunnel.client_reqrep import ContentDisposition as Public

BASE = URL("http://a.test/x/y?q=1")


def links(*fields: str) -> dict[str, dict[str, str]]:
    return {
        rel: {name: str(value) for name, value in link.items()}
        for rel, link in parse_links(fields, BASE).items()
    }


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        pytest.param(
            '<http://b.test/>; rel=next, </r>; rel="prev"; title=x',
            {
                "next": {"rel": "next", "url": "http://b.test/"},
                "prev": {"rel": "prev", "title": "x", "url": "http://a.test/r"},
            },
            id="two-links",
        ),
        pytest.param("<a>", {"a": {"url": "http://a.test/x/a"}}, id="no-rel"),
        pytest.param(
            "<a>;foo; rel=b",
            {"b": {"rel": "b", "url": "http://a.test/x/a"}},
            id="parameter-without-value",
        ),
        pytest.param(
            '<?p=2>; rel="last next"',
            {"last next": {"rel": "last next", "url": "http://a.test/x/y?p=2"}},
            id="query-only",
        ),
        pytest.param(
            "<x>; rel='sq'",
            {"sq": {"rel": "sq", "url": "http://a.test/x/x"}},
            id="single-quotes",
        ),
        pytest.param(
            r'<x>; title="a;b, <c> \"d\""; rel=z, <y>',
            {
                "z": {
                    "title": 'a;b, <c> "d"',
                    "rel": "z",
                    "url": "http://a.test/x/x",
                },
                "y": {"url": "http://a.test/x/y"},
            },
            id="separators-in-quotes",
        ),
        pytest.param("<http://[>; rel=q", {}, id="no-url"),
        pytest.param('; rel=x, "<a>", nonsense', {}, id="no-link"),
        pytest.param("", {}, id="empty"),
    ],
)
def test_links_are_read(field: str, expected: dict[str, dict[str, str]]) -> None:
    assert links(field) == expected


def test_links_of_several_fields_and_of_one_rel_are_all_there() -> None:
    found = parse_links(["<a>; rel=x", "<b>; rel=x"], BASE)
    assert [str(link["url"]) for link in found.getall("x")] == [
        "http://a.test/x/a",
        "http://a.test/x/b",
    ]


@pytest.mark.parametrize(
    "piece", ['<a>"', "<", '"', "; ", "<a>;x", "<a>;x='", '<a>; x="\\']
)
def test_a_hostile_link_field_is_read_in_linear_time(piece: str) -> None:
    def seconds(times: int) -> float:
        start = time.process_time()
        parse_links([piece * times], URL("http://a.test/"))
        return time.process_time() - start

    # Quadratic time would be minutes here.
    assert seconds(20_000) < 10


def test_a_content_disposition_is_a_record() -> None:
    found = content_disposition("attachment; filename*=utf-8''%e2%82%ac.txt")
    assert found == ContentDisposition(
        "attachment", {"filename*": "\u20ac.txt"}, "\u20ac.txt"
    )
    assert isinstance(found, Public)
    with pytest.raises(AttributeError):
        found.type = "inline"  # type: ignore[misc]  # it is frozen
