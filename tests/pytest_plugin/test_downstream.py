"""A whole project of somebody else runs under every async plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.pytest_plugin.sandbox import copy_project, plugins

if TYPE_CHECKING:
    import pytest

pytest_plugins = ["pytester"]

FORECAST = 17
ORDINARY = 8
PLAIN = 2
ANYIO = 2


def test_project_with_pytest_asyncio_passes_and_its_own_loops_are_untouched(
    pytester: pytest.Pytester,
) -> None:
    copy_project(pytester, "pytest.mark.asyncio", "forecast", "ordinary", "plain")

    result = pytester.runpytest_subprocess(*plugins("strict"))

    result.assert_outcomes(passed=FORECAST + ORDINARY + PLAIN)


def test_project_in_auto_mode_passes_and_its_own_loops_are_untouched(
    pytester: pytest.Pytester,
) -> None:
    copy_project(pytester, "[]", "forecast", "ordinary", "plain")

    result = pytester.runpytest_inprocess(*plugins("auto"))

    result.assert_outcomes(passed=FORECAST + ORDINARY + PLAIN)


def test_unmarked_tests_run_in_strict_mode_too(pytester: pytest.Pytester) -> None:
    copy_project(pytester, "[]", "forecast")

    result = pytester.runpytest_inprocess(*plugins("strict"))

    result.assert_outcomes(passed=FORECAST)


def test_project_without_async_plugin_passes(pytester: pytest.Pytester) -> None:
    copy_project(pytester, "[]", "forecast", "plain")

    result = pytester.runpytest_inprocess(*plugins("none"))

    result.assert_outcomes(passed=FORECAST + PLAIN)


def test_project_with_anyio_passes(pytester: pytest.Pytester) -> None:
    copy_project(pytester, "pytest.mark.anyio", "forecast", "ordinary_anyio")

    result = pytester.runpytest_inprocess(*plugins("strict"))

    result.assert_outcomes(passed=FORECAST + ANYIO)


def test_project_under_xdist_passes(pytester: pytest.Pytester) -> None:
    copy_project(pytester, "pytest.mark.asyncio", "forecast", "ordinary")

    result = pytester.runpytest_subprocess(*plugins("strict"), "-n", "1")

    result.assert_outcomes(passed=FORECAST + ORDINARY)
