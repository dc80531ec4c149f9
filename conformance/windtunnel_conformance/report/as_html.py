"""The report for people with a browser: a matrix of cases and clients in one file.

In: ``RunResults``. Out: a page that needs nothing but itself, so it works from a
``file://`` address, as a build artefact or as an attachment. Logs are shared: equal
ones are stored once, and of the variants of a case only a telling few carry one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import jinja2

from windtunnel_conformance.case import Level, Verdict
from windtunnel_conformance.report.wirelog import log_rows
from windtunnel_conformance.results import VariantResult

if TYPE_CHECKING:
    from pathlib import Path

    from windtunnel_conformance.adapters.base import JsonObject
    from windtunnel_conformance.case import Case, Json
    from windtunnel_conformance.outcome import Outcome
    from windtunnel_conformance.results import (
        CaseResult,
        RunResults,
    )

_LOG_BYTES = 2048
_LOG_ROWS = 80
_LOGS_PER_CELL = 4
_MARKS = {
    Verdict.PASS: "✓",
    Verdict.LENIENT: "≈",
    Verdict.INFO: "i",
    Verdict.SKIPPED: "-",
    Verdict.UNSUPPORTED: "-",
    Verdict.BLOCKED: "⊘",
    Verdict.FAIL: "✗",
    Verdict.ERROR: "!",
}


def write_html(results: RunResults, folder: Path) -> Path:
    """Write the page into ``folder``, which is made if need be.

    Returns:
        The path of the page, ``folder/index.html``.

    Raises:
        OSError: The folder or the page cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "index.html"
    page.write_text(html_report(results), encoding="utf-8")
    return page


def html_report(results: RunResults) -> str:
    """Return the whole page."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("windtunnel_conformance.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    logs = _Logs()
    by_client = [
        {one.case.id: one for one in client.cases} for client in results.clients
    ]
    cells: dict[str, list[JsonObject | None]] = {
        case.id: [
            _cell(found[case.id], logs) if case.id in found else None
            for found in by_client
        ]
        for case in results.cases
    }
    return environment.get_template("matrix.html").render(
        results=results,
        by_client=by_client,
        levels=[str(level) for level in Level],
        verdicts=[str(verdict) for verdict in Verdict],
        marks={str(verdict): mark for verdict, mark in _MARKS.items()},
        data={
            "clients": [client.name for client in results.clients],
            "cases": {case.id: _case(case) for case in results.cases},
            "cells": cells,
            "logs": logs.rows,
            "marks": {str(verdict): mark for verdict, mark in _MARKS.items()},
        },
    )


class _Logs:
    """Logs by content; equal ones get the same number."""

    def __init__(self) -> None:
        self.rows: list[list[list[Json]]] = []
        self._numbers: dict[str, int] = {}

    def number(self, outcome: Outcome) -> int:
        found = log_rows(outcome, max_bytes=_LOG_BYTES)
        rows: list[list[Json]] = [
            [f"{row.time:.6f}", row.who, row.arrow, row.text] for row in found
        ]
        if len(rows) > _LOG_ROWS:
            left = f"... {len(rows) - _LOG_ROWS} events are left out here"
            rows[_LOG_ROWS // 2 : -_LOG_ROWS // 2] = [["", "", "", left]]
        key = repr(rows)
        if key not in self._numbers:
            self._numbers[key] = len(self.rows)
            self.rows.append(rows)
        return self._numbers[key]


def _case(case: Case) -> JsonObject:
    return {
        "title": case.title,
        "level": str(case.level),
        "spec": list(case.spec),
        "why": [" ".join(text.split()) for text in case.why.split("\n\n")],
        "source": case.source,
    }


def _cell(result: CaseResult, logs: _Logs) -> JsonObject:
    ordered = [result.telling]
    ordered += [one for one in result.variants if one is not result.telling]
    bad = [one for one in ordered[1:] if one.verdict is not Verdict.PASS]
    logged = {id(one) for one in [ordered[0], *bad[: _LOGS_PER_CELL - 1]]}
    variants: list[Json] = [
        _variant(one, logs if id(one) in logged else None) for one in ordered
    ]
    return {"verdict": str(result.verdict), "variants": variants}


def _variant(result: VariantResult, logs: _Logs | None) -> Json:
    # Most variants of a case pass and say nothing more: such a one is only its key,
    # and what is empty is left out, or a page with thousands of them would be big.
    if logs is None and result == VariantResult(
        result.key, Verdict.PASS, alternative=0, outcome=result.outcome
    ):
        return result.key
    full: JsonObject = {
        "key": result.key,
        "verdict": str(result.verdict),
        "surprise": result.surprise,
        "note": result.note,
        "reasons": list(result.reasons),
        "known": result.known,
        "blind": list(result.not_compared),
    }
    if result.alternative is not None:
        full["alternative"] = result.alternative
    if logs is not None and result.outcome is not None:
        full["log"] = logs.number(result.outcome)
        if result.outcome.stderr:
            full["stderr"] = result.outcome.stderr
    return {key: value for key, value in full.items() if value not in ("", [])}
