"""Where two JSON values differ."""

from __future__ import annotations

from typing import Any

import pytest

from windtunnel_fakeserver._script.json_diff import json_differences


@pytest.mark.parametrize(
    ("wanted", "got", "exact", "differences"),
    [
        pytest.param({"a": [1, 2]}, {"a": [1, 2]}, True, [], id="equal"),
        pytest.param({"a": (1,)}, {"a": [1]}, True, [], id="tuple-is-a-list"),
        pytest.param({"a": 1}, {"a": "1"}, True, [("$.a", "1", "'1'")], id="type"),
        pytest.param({"a": 1}, {"a": True}, True, [("$.a", "1", "True")], id="bool"),
        pytest.param({"a": 1}, {}, True, [("$.a", "1", "absent")], id="absent"),
        pytest.param({}, {"a": 1}, True, [("$.a", "absent", "1")], id="extra"),
        pytest.param({}, {"a": 1}, False, [], id="extra-in-subset"),
        pytest.param(
            {"a": [{"b": 1}]},
            {"a": [{"b": 2, "c": 3}]},
            False,
            [("$.a[0].b", "1", "2")],
            id="deep",
        ),
        pytest.param([1], [1, 2], False, [("$", "1 items", "2 items")], id="length"),
        pytest.param([1], {"a": 1}, True, [("$", "[1]", "{'a': 1}")], id="kinds"),
    ],
)
def test_differences_have_path_expected_and_got(
    wanted: Any, got: Any, exact: bool, differences: list[tuple[str, str, str]]
) -> None:
    assert json_differences(wanted, got, exact=exact) == differences
