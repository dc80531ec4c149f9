"""The page of differences names cases that exist."""

from __future__ import annotations

import re

from tests.repo.project import PACKAGES, ROOT


def test_each_case_that_the_page_names_is_in_the_corpus() -> None:
    page = (ROOT / "docs" / "differences.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:[a-z0-9-]+/)+[a-z0-9-]+)` \|$", page, re.MULTILINE))
    corpus = PACKAGES["windtunnel_conformance"] / "corpus"
    assert named
    assert {case for case in named if not (corpus / f"{case}.toml").exists()} == set()
