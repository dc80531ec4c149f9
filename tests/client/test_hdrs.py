"""The header names are the ones that users of the compatible API import."""

from __future__ import annotations

import pytest
from aiohttp import hdrs as theirs
from multidict import CIMultiDict, istr

from windtunnel import hdrs

NAMES = sorted(name for name in vars(theirs) if name.isupper())


def test_every_constant_of_the_compatible_module_exists() -> None:
    assert [name for name in NAMES if not hasattr(hdrs, name)] == []


@pytest.mark.parametrize("name", [name for name in NAMES if name != "ETAG"])
def test_constant_has_the_same_value_and_type(name: str) -> None:
    ours, reference = getattr(hdrs, name), getattr(theirs, name)
    assert ours == reference
    assert type(ours) is type(reference)


def test_etag_is_spelled_as_its_registration_says() -> None:
    assert str(hdrs.ETAG) == "ETag"


def test_a_field_name_finds_any_spelling_in_a_header_mapping() -> None:
    headers = CIMultiDict({"content-TYPE": "text/plain"})
    assert isinstance(hdrs.CONTENT_TYPE, istr)
    assert headers[hdrs.CONTENT_TYPE] == "text/plain"


def test_the_methods_are_upper_case_names() -> None:
    assert sorted(hdrs.METH_ALL) == sorted(
        getattr(hdrs, f"METH_{name}") for name in hdrs.METH_ALL
    )
