"""What we know about each client: its error names and its known differences.

Comes in: ``clients/NAME.toml``. Goes out: a ``Profile`` that maps raw errors to the
tree, and says of one judged run whether it is news. Must not know: how runs are done.

A profile is exact: a case that fails without an entry is news, and so is an entry whose
case passes, or fails in another way than it says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windtunnel_conformance.case import Level, Verdict
from windtunnel_conformance.errors import is_error
from windtunnel_conformance.expecting import GOT_KINDS, error_class
from windtunnel_conformance.matching import same_json, show
from windtunnel_conformance.reading import parse_toml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from windtunnel_conformance.case import Json
    from windtunnel_conformance.reading import Node

PROFILE_FOLDER: Final = Path(__file__).parent / "clients"
"""Where the shipped profiles are."""

_FINE: Final = frozenset(
    {
        Verdict.PASS,
        Verdict.LENIENT,
        Verdict.INFO,
    }
)
_VERDICTS: Final = tuple(verdict.value for verdict in Verdict)
_BOUND = re.compile(r"(>=|<=|==|!=|<|>)([0-9]+(?:\.[0-9]+)*)")


@dataclass(frozen=True, slots=True)
class Known:
    """One known difference.

    Attributes:
        cases: Ids of cases (all variants) or of variants (``id@key``); ``*`` allowed.
        verdict: What is expected instead of a pass.
        got: Result keys and values that pin how it fails; some action has to have all
            of them. ``error`` is a class of the tree.
        reason: Why, in words for a reader of the report.
        link: Where it was reported; may be empty.
        versions: Of the client that show it, such as ``>=7``; empty: all.
    """

    cases: tuple[str, ...]
    verdict: Verdict
    got: Mapping[str, Json]
    reason: str
    link: str = ""
    versions: str = ""

    def covers(self, variant: str) -> bool:
        """Say whether this is about the variant with the given id."""
        return any(_covers(pattern, variant) for pattern in self.cases)


@dataclass(frozen=True, slots=True)
class Flaky:
    """Runs whose verdict is left open, and why; ``versions`` as in ``Known``."""

    cases: tuple[str, ...]
    reason: str
    versions: str = ""

    def covers(self, variant: str) -> bool:
        """Say whether this is about the variant with the given id."""
        return any(_covers(pattern, variant) for pattern in self.cases)


@dataclass(frozen=True, slots=True)
class News:
    """How one run compares with its profile.

    Attributes:
        expected: False: something changed.
        surprise: What the profile expected instead; empty if ``expected``.
        known: Reason of the entry that covers the run; may be empty.
    """

    expected: bool = True
    surprise: str = ""
    known: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """All we know about one client.

    Attributes:
        name: Of the client.
        versions: For which the entries hold, such as ``>=3.14,<3.15``; empty: all.
        errors: Raw error to class of the tree. A key is a whole raw error or the
            beginning of one; with ``*`` in it, a pattern for the whole of it.
        known: Known differences.
        flaky: Runs that may come out either way.
        strict: Levels at which nothing but a pass is as expected.
    """

    name: str
    versions: str = ""
    errors: Mapping[str, str] = field(default_factory=dict[str, str])
    known: tuple[Known, ...] = ()
    flaky: tuple[Flaky, ...] = ()
    strict: frozenset[Level] = frozenset()

    def classify(self, raw: str) -> str:
        """Return the class of the error tree for a raw error.

        Args:
            raw: ``"ClassName"`` or ``"ClassName: message"``.

        Returns:
            The class of the longest key that fits; ``"other"`` if none does.
        """
        fitting = [key for key in self.errors if _fits(key, raw)]
        return self.errors[max(fitting, key=len)] if fitting else "other"

    def covers_version(self, version: str) -> bool:
        """Say whether the entries hold for a version such as ``3.14.5``."""
        return _in_range(version, self.versions)

    def for_version(self, version: str) -> Profile:
        """Return the same profile with the entries about one version only."""
        return replace(
            self,
            known=tuple(x for x in self.known if _in_range(version, x.versions)),
            flaky=tuple(x for x in self.flaky if _in_range(version, x.versions)),
        )

    def compare(
        self,
        variant: str,
        level: Level,
        verdict: Verdict,
        results: Mapping[str, Mapping[str, Json]],
    ) -> News:
        """Say whether one judged run is as expected.

        Args:
            variant: Id of the variant.
            level: Of its case.
            verdict: What came out.
            results: What the client reported, by action; empty if nothing was run.
        """
        if verdict in (Verdict.SKIPPED, Verdict.UNSUPPORTED, Verdict.BLOCKED):
            return self._not_run(variant, level, verdict)
        for flaky in self.flaky:
            if flaky.covers(variant):
                return News(known=flaky.reason)
        for known in self.known:
            if known.covers(variant):
                return _compare_known(known, verdict, results)
        fine = {Verdict.PASS} if level in self.strict else _FINE
        if verdict in fine:
            return News()
        wanted = "pass" if level in self.strict else "pass, lenient or info"
        return News(False, f"expected {wanted}, but it is {verdict}")

    def _not_run(self, variant: str, level: Level, verdict: Verdict) -> News:
        """Judge a run that did not happen: only a strict profile minds, if at all."""
        reason = next((one.reason for one in self.known if one.covers(variant)), "")
        if level in self.strict and verdict is not Verdict.SKIPPED and not reason:
            return News(False, f"expected pass, but it is {verdict}")
        return News(known=reason)

    def stale(self, variants: Iterable[str]) -> tuple[str, ...]:
        """Return the patterns of entries that fit no variant of the whole corpus."""
        every = tuple(variants)
        patterns = [pattern for entry in self.known for pattern in entry.cases]
        patterns += [pattern for entry in self.flaky for pattern in entry.cases]
        return tuple(
            pattern
            for pattern in patterns
            if not any(_covers(pattern, variant) for variant in every)
        )


def load_profile(name: str, folder: Path = PROFILE_FOLDER) -> Profile:
    """Load the profile of a client; a client without a file has an empty one.

    Raises:
        CaseError: The file is wrong in any way.
    """
    path = folder / f"{name}.toml"
    if not path.is_file():
        return Profile(name)
    return parse_profile(path.read_text(encoding="utf-8"), path.name)


def parse_profile(text: str, file: str) -> Profile:
    """Read a profile from text.

    Raises:
        CaseError: The text is wrong in any way.
    """
    root = parse_toml(text, file)
    table = root.table(("client", "errors", "known", "flaky"), required=("client",))
    client = table["client"].table(("name", "versions", "strict"), required=("name",))
    if client["name"].text() != file.removesuffix(".toml"):
        raise client["name"].error(f"must be {file.removesuffix('.toml')!r}")
    return Profile(
        name=client["name"].text(),
        versions=_versions(client["versions"]) if "versions" in client else "",
        errors={
            key: error_class(value)
            for key, value in table["errors"].table(None).items()
        }
        if "errors" in table
        else {},
        known=tuple(map(_known, table["known"].items())) if "known" in table else (),
        flaky=tuple(map(_flaky, table["flaky"].items())) if "flaky" in table else (),
        strict=frozenset(
            Level(item.choice([level.value for level in Level]))
            for item in client["strict"].items()
        )
        if "strict" in client
        else frozenset(),
    )


def _versions(node: Node) -> str:
    text = node.text()
    for part in text.split(","):
        if not _BOUND.fullmatch(part.strip()):
            raise node.error(f"{part!r} is no bound such as '>=3.14'")
    return text


def _known(node: Node) -> Known:
    table = node.table(
        ("cases", "verdict", "got", "reason", "link", "versions"),
        required=("cases", "reason"),
    )
    verdict = (
        Verdict(table["verdict"].choice(_VERDICTS))
        if "verdict" in table
        else Verdict.FAIL
    )
    got = table["got"].table(GOT_KINDS) if "got" in table else {}
    if "error" in got:
        error_class(got["error"])
    return Known(
        cases=_patterns(table["cases"]),
        verdict=verdict,
        got={key: value.json() for key, value in got.items()},
        reason=_reason(table["reason"]),
        link=table["link"].text() if "link" in table else "",
        versions=_versions(table["versions"]) if "versions" in table else "",
    )


def _flaky(node: Node) -> Flaky:
    table = node.table(("cases", "reason", "versions"), required=("cases", "reason"))
    return Flaky(
        _patterns(table["cases"]),
        _reason(table["reason"]),
        _versions(table["versions"]) if "versions" in table else "",
    )


def _patterns(node: Node) -> tuple[str, ...]:
    if not node.items():
        raise node.error("names no case")
    return node.texts()


def _reason(node: Node) -> str:
    if not node.text().strip():
        raise node.error("is empty; a known difference is explained")
    return node.text().strip()


def _compare_known(
    known: Known, verdict: Verdict, results: Mapping[str, Mapping[str, Json]]
) -> News:
    if verdict is not known.verdict:
        return News(
            False,
            f"known as {known.verdict}, but it is {verdict}; the entry has to go or "
            f"to change",
            known.reason,
        )
    if known.got and not any(
        all(_pinned(result, key, value) for key, value in known.got.items())
        for result in results.values()
    ):
        pins = ", ".join(f"{key} = {show(value)}" for key, value in known.got.items())
        return News(False, f"known to show {pins}, but no action does", known.reason)
    return News(known=known.reason)


def _pinned(result: Mapping[str, Json], key: str, value: Json) -> bool:
    if key != "error":
        return key in result and same_json(result[key], value)
    error = result.get("error")
    seen = error.get("class") if isinstance(error, dict) else None
    return isinstance(seen, str) and isinstance(value, str) and is_error(seen, value)


def _covers(pattern: str, variant: str) -> bool:
    case = variant.partition("@")[0]
    return _is_like(variant if "@" in pattern else case, pattern)


def _is_like(text: str, pattern: str) -> bool:
    """Say whether a text fits a pattern in which only ``*`` is special."""
    parts = map(re.escape, pattern.split("*"))
    return re.fullmatch(".*".join(parts), text, re.DOTALL) is not None


def _fits(key: str, raw: str) -> bool:
    """Say whether a key of ``[errors]`` is about a raw error.

    A class name has to be the whole name: ``ConnectError`` is no ``ConnectErrorGroup``.
    """
    if "*" in key:
        return _is_like(raw, key)
    return raw.startswith(key) if ":" in key else raw.partition(":")[0] == key


def _in_range(version: str, bounds: str) -> bool:
    """Say whether a version fits bounds; no version and no bounds fit anything."""
    seen = _numbers(version)
    return not seen or all(
        _holds(seen, operator, _numbers(bound))
        for operator, bound in _BOUND.findall(bounds)
    )


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers a version begins with: ``3.14.0rc1`` -> (3, 14, 0)."""
    found = re.match(r"[0-9]+(?:\.[0-9]+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def _holds(seen: tuple[int, ...], operator: str, bound: tuple[int, ...]) -> bool:
    width = max(len(seen), len(bound))
    left = seen + (0,) * (width - len(seen))
    right = bound + (0,) * (width - len(bound))
    return {
        ">=": left >= right,
        "<=": left <= right,
        "==": left == right,
        "!=": left != right,
        "<": left < right,
        ">": left > right,
    }[operator]
