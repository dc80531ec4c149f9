"""The report for machines: one JSON object with stable keys.

In: ``RunResults``. Out: JSON text. Nothing in it depends on how long anything took, so
two equal runs in virtual time give equal text. Evidence stays in the HTML report.
"""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from windtunnel_conformance.adapters.base import JsonObject
    from windtunnel_conformance.case import Json
    from windtunnel_conformance.results import (
        CaseResult,
        ClientResult,
        RunResults,
        VariantResult,
    )

FORMAT = 1
"""Changes when a key is removed or changes its meaning, not when one is added."""


def json_report(results: RunResults) -> str:
    """Return the report as JSON text that ends with a line end."""
    report: JsonObject = {
        "format": FORMAT,
        "as_expected": results.as_expected,
        "variants": "all" if results.all_variants else "base",
        "machine": {
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
        },
        "clients": [_client(client) for client in results.clients],
    }
    return json.dumps(report, indent=2, ensure_ascii=True) + "\n"


def _client(client: ClientResult) -> Json:
    return {
        "name": client.name,
        "version": client.version,
        "runtime": client.runtime,
        "clock": client.clock,
        "as_expected": client.as_expected,
        "problem": client.problem,
        "remark": client.remark,
        "unmatched_expectations": list(client.unmatched),
        "counts": {str(key): count for key, count in client.counts().items()},
        "cases": [_case(case) for case in client.cases],
    }


def _case(result: CaseResult) -> Json:
    case = result.case
    return {
        "id": case.id,
        "family": case.family,
        "title": case.title,
        "level": str(case.level),
        "spec": list(case.spec),
        "verdict": str(result.verdict),
        "expected": result.expected,
        "variants": [_variant(one) for one in result.variants],
    }


def _variant(result: VariantResult) -> Json:
    return {
        "key": result.key,
        "verdict": str(result.verdict),
        "expected": result.expected,
        "surprise": result.surprise,
        "alternative": result.alternative,
        "note": result.note,
        "reasons": list(result.reasons),
        "known": result.known,
        "not_compared": list(result.not_compared),
    }
