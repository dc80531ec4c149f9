"""The report for build servers: JUnit XML, one suite for each client and family.

In: ``RunResults``. Out: XML text. A test fails exactly if its result is not what the
client's profile expects: a known failure is reported as skipped with its reason, the
way test runners report an expected failure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as Xml

from windtunnel_conformance.case import Verdict

if TYPE_CHECKING:
    from windtunnel_conformance.results import (
        CaseResult,
        ClientResult,
        RunResults,
        VariantResult,
    )

_NOT_RUN = frozenset({Verdict.SKIPPED, Verdict.BLOCKED, Verdict.UNSUPPORTED})
_BAD = frozenset({Verdict.FAIL, Verdict.ERROR})
# XML 1.0 has no way to write these, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_report(results: RunResults) -> str:
    """Return the report as XML text that ends with a line end."""
    root = Xml.Element("testsuites", name="windtunnel conformance")
    for client in results.clients:
        if client.problem:
            _problem_suite(root, client)
        for family in results.families:
            _family_suite(root, client, family)
    Xml.indent(root)
    text = Xml.tostring(root, encoding="unicode", xml_declaration=True)
    return text + "\n"


def _problem_suite(root: Xml.Element, client: ClientResult) -> None:
    suite = Xml.SubElement(root, "testsuite", name=client.name, tests="1", errors="1")
    test = Xml.SubElement(suite, "testcase", classname=client.name, name="adapter")
    Xml.SubElement(test, "error", message=_clean(client.problem))


def _family_suite(root: Xml.Element, client: ClientResult, family: str) -> None:
    cases = [case for case in client.cases if case.case.family == family]
    if not cases:
        return
    suite = Xml.SubElement(root, "testsuite", name=f"{client.name}: {family}")
    tests = [
        _test(suite, client.name, case, variant)
        for case in cases
        for variant in case.variants
    ]
    suite.set("tests", str(len(tests)))
    suite.set("failures", str(tests.count("failure")))
    suite.set("skipped", str(tests.count("skipped")))


def _test(
    suite: Xml.Element, client: str, result: CaseResult, variant: VariantResult
) -> str:
    """Add one test; return how it went: ``failure``, ``skipped`` or ``passed``."""
    family, _, slug = result.case.id.rpartition("/")
    name = f"{slug}@{variant.key}" if variant.key else slug
    classname = f"{client}.{family.replace('/', '.')}"
    test = Xml.SubElement(suite, "testcase", classname=classname, name=name)
    properties = Xml.SubElement(test, "properties")
    Xml.SubElement(properties, "property", name="verdict", value=str(variant.verdict))
    Xml.SubElement(properties, "property", name="level", value=str(result.case.level))
    if not variant.expected:
        failure = Xml.SubElement(test, "failure", message=_clean(variant.surprise))
        failure.text = _clean("\n".join(variant.reasons))
        return "failure"
    if variant.verdict in _NOT_RUN | _BAD:
        reason = variant.known or "; ".join(variant.reasons)
        Xml.SubElement(test, "skipped", message=_clean(reason))
        return "skipped"
    return "passed"


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
