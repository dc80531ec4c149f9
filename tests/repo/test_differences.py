"""The page of differences says for each row what shows it, and that exists."""

from __future__ import annotations

import re

import pytest

from tests.repo.project import PACKAGES, ROOT

PAGE = (ROOT / "docs" / "differences.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ")][2:]
CORPUS = PACKAGES["windtunnel_conformance"] / "corpus"


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_each_row_names_the_case_or_the_test_that_shows_it(row: str) -> None:
    cells = [cell.strip() for cell in row.strip("|").split(" | ")]
    assert len(cells) == 5, row
    names = re.findall(r"`([^`]+)`", cells[-1])
    assert names, f"no case and no test: {row[:80]}"
    places = [
        ROOT / name if name.startswith("tests/") else CORPUS / f"{name}.toml"
        for name in names
    ]
    assert [str(place) for place in places if not place.exists()] == []
