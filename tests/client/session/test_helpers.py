"""The small values of the API."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

import windtunnel


def test_an_entity_tag_is_a_record() -> None:
    tag = windtunnel.ETag("x")
    assert tag == windtunnel.ETag(value="x", is_weak=False)
    assert tag != windtunnel.ETag("x", True)
    with pytest.raises(AttributeError):
        tag.value = "y"  # type: ignore[misc]  # that is the point


@pytest.mark.parametrize("client", [windtunnel, aiohttp], ids=["windtunnel", "aiohttp"])
def test_several_mappings_are_one(client: Any) -> None:
    later: dict[str, int] = {"b": 3, "c": 4}
    both = client.ChainMapProxy([{"a": 1, "b": 2}, later])
    assert (both["a"], both["b"], both["c"]) == (1, 2, 4)
    assert both.get("b") == 2
    assert both.get("x") is None
    assert both.get("x", 5) == 5
    assert len(both) == 3
    assert sorted(both) == ["a", "b", "c"]
    assert "c" in both
    assert "x" not in both
    assert both
    later["x"] = 6
    assert both["x"] == 6
    with pytest.raises(KeyError):
        both["y"]
    assert not client.ChainMapProxy([{}])
    assert "ChainMapProxy(" in repr(both)


def test_nobody_makes_a_subclass_of_it() -> None:
    with pytest.raises(TypeError, match="is forbidden"):
        type("Own", (windtunnel.ChainMapProxy,), {})


def test_a_name_that_is_none_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        getattr(windtunnel, "Nothing")  # noqa: B009  # checkers would object
