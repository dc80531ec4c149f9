"""The downstream project is data for our tests, not tests of ours."""

from __future__ import annotations

collect_ignore = ["downstream"]
