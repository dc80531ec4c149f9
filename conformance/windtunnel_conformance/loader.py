"""From a folder of TOML files to cases.

Comes in: files. Goes out: a ``Corpus`` of ``Case`` values with every variant expanded,
or errors that name file, key and what is allowed. Must not know: who runs them.

The order inside one file: ``[vary]`` gives rows; for each row placeholders are filled
in the tree; then origins, actions, peers and alternatives are read; last, ``split``
cuts the sends.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windtunnel_conformance.actions import ActionReader, read_session
from windtunnel_conformance.case import (
    CAPABILITIES,
    FORMAT,
    Case,
    ClockSettings,
    Level,
    Variant,
)
from windtunnel_conformance.errors import CaseError, CorpusError
from windtunnel_conformance.expecting import AlternativeReader, applies
from windtunnel_conformance.peers import read_origins, read_peers, with_tls
from windtunnel_conformance.reading import Node, parse_toml
from windtunnel_conformance.values import Lets, Scope
from windtunnel_conformance.vary import Plan, cut_everywhere, read_vary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windtunnel_conformance.acceptable import Alternative
    from windtunnel_conformance.case import Origin, Scalar
    from windtunnel_conformance.vary import Row

CORPUS_FOLDER: Final = Path(__file__).parent / "corpus"
"""Where the shipped cases are."""

_MODES: Final = ("any", "virtual")
_KEYS: Final = (
    "format", "id", "title", "level", "spec", "needs", "depends", "why", "clock",
    "session", "origins", "vary", "let", "client", "peer", "expect",
)  # fmt: skip
_REQUIRED: Final = ("format", "id", "title", "level", "spec", "client", "expect")
_ID = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)+")
_SPEC = re.compile(r"[a-z0-9]+#[A-Za-z0-9._-]+")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


@dataclass(frozen=True, slots=True)
class Corpus:
    """All cases of a folder.

    Attributes:
        cases: By id, in alphabetical order.
    """

    cases: Mapping[str, Case]

    @property
    def families(self) -> tuple[str, ...]:
        """Names of the families, in alphabetical order."""
        return tuple(sorted({case.family for case in self.cases.values()}))


def load_corpus(folder: Path = CORPUS_FOLDER) -> Corpus:
    """Load every ``*.toml`` below a folder.

    Raises:
        CorpusError: Files are wrong; it has one line for each of them.
        FileNotFoundError: There is no such folder.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {str(folder)!r} with cases")
    cases: dict[str, Case] = {}
    problems: list[str] = []
    for path in sorted(folder.rglob("*.toml")):
        try:
            case = load_case(path, folder)
        except CaseError as exc:
            problems.append(str(exc))
        else:
            cases[case.id] = case
    if problems:
        raise CorpusError(problems)
    return Corpus(cases)


def load_case(path: Path, folder: Path) -> Case:
    """Load one file.

    Args:
        path: The file.
        folder: Root of its corpus; what is below it has to be the id.

    Raises:
        CaseError: The file is wrong in any way.
    """
    file = path.relative_to(folder).as_posix()
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as exc:
        raise CaseError(file, "", f"is not UTF-8 at byte {exc.start}") from exc
    return parse_case(text, file)


def parse_case(text: str, file: str) -> Case:
    """Read one case from text; ``file`` is its path relative to the corpus.

    Raises:
        CaseError: The text is wrong in any way.
    """
    root = parse_toml(text, file)
    table = root.table(_KEYS, required=_REQUIRED)
    if table["format"].integer(low=0) != FORMAT:
        raise table["format"].error(f"is not {FORMAT}, the only format known here")
    case_id = _case_id(table["id"])
    return Case(
        id=case_id,
        title=table["title"].text(),
        level=Level(table["level"].choice([level.value for level in Level])),
        spec=_specs(table["spec"]),
        needs=_needs(table.get("needs")),
        depends=table["depends"].texts() if "depends" in table else (),
        why=table["why"].text().strip() if "why" in table else "",
        clock=_clock(table.get("clock")),
        session=read_session(table["session"]) if "session" in table else {},
        variants=_Expander(case_id, root, table).variants(),
        source=text,
    )


def _case_id(node: Node) -> str:
    text = node.text()
    expected = node.file.removesuffix(".toml")
    if not _ID.fullmatch(text):
        raise node.error(f"{text!r} is no id (family/slug in a-z, 0-9 and -)")
    if text != expected:
        raise node.error(f"is {text!r}, but the path of the file says {expected!r}")
    return text


def _specs(node: Node) -> tuple[str, ...]:
    for item in node.items():
        if not _SPEC.fullmatch(item.text()):
            raise item.error(f"{item.text()!r} is not of the form document#section")
    if not node.items():
        raise node.error("cites nothing; a case rests on at least one section")
    return node.texts()


def _needs(node: Node | None) -> tuple[str, ...]:
    if node is None:
        return ()
    return tuple(item.choice(CAPABILITIES) for item in node.items())


def _clock(node: Node | None) -> ClockSettings:
    if node is None:
        return ClockSettings()
    table = node.table(("mode", "start", "wall", "gap"))
    wall = table.get("wall")
    if wall is not None and not _INSTANT.fullmatch(wall.text()):
        raise wall.error(f"is {wall.text()!r}, but must be like 2026-01-15T12:00:00Z")
    virtual = "mode" in table and table["mode"].choice(_MODES) == "virtual"
    if "start" in table and not virtual:
        raise table["start"].error("only mode = 'virtual' can start at a given time")
    return ClockSettings(
        mode="virtual" if virtual else "any",
        start=table["start"].seconds() if "start" in table else None,
        wall=wall.text() if wall is not None else None,
        gap=table["gap"].seconds() if "gap" in table else None,
    )


class _Expander:
    """Expands one file to its variants, and refuses columns and lets without use."""

    def __init__(self, case_id: str, root: Node, table: Mapping[str, Node]) -> None:
        self._id = case_id
        self._root = root
        self._table = table
        self._plan = read_vary(table["vary"]) if "vary" in table else Plan()
        self._lets = table["let"].table(None) if "let" in table else {}
        self._captures = self._find_captures()
        self._used_columns: set[str] = set()
        self._used_lets: set[str] = set()

    def variants(self) -> tuple[Variant, ...]:
        found: list[Variant] = []
        for row in self._plan.rows:
            variant = self._variant(row)
            if self._plan.split:
                found.extend(
                    cut_everywhere(variant, self._table["vary"].table(None)["split"])
                )
            else:
                found.append(variant)
        self._refuse_unused()
        return tuple(found)

    def _variant(self, row: Row) -> Variant:
        origins = self._origins(row)
        scope = Scope(self._scope(row, origins), self._captures)
        lets = Lets({name: scope.fill(node) for name, node in self._lets.items()})
        reader = ActionReader(lets)
        actions = reader.read_all(scope.fill(self._table["client"]))
        peers = (
            read_peers(scope.fill(self._table["peer"]), origins, lets)
            if "peer" in self._table
            else ()
        )
        judge = AlternativeReader(lets, reader.names, list(origins))
        alternatives = self._alternatives(row, scope, judge)
        self._used_columns |= scope.used
        self._used_lets |= lets.used | scope.used
        return Variant(
            self._id, row.key, row.values, origins, actions, peers, alternatives
        )

    def _origins(self, row: Row) -> dict[str, Origin]:
        columns = Scope(row.values)
        node = self._table.get("origins")
        origins = read_origins(None if node is None else columns.fill(node))
        self._used_columns |= columns.used
        return origins if row.tls is None else with_tls(origins, row.tls)

    def _scope(self, row: Row, origins: Mapping[str, Origin]) -> dict[str, Scalar]:
        values: dict[str, Scalar] = dict(row.values)
        for name, origin in origins.items():
            if name in row.values:
                raise self._table["vary"].error(
                    f"the column {name!r} has the name of an origin"
                )
            values[name] = origin.url
            values[f"{name}.authority"] = origin.authority
            values[f"{name}.host"] = origin.host
            values[f"{name}.port"] = origin.port
        return values

    def _alternatives(
        self, row: Row, scope: Scope, reader: AlternativeReader
    ) -> tuple[Alternative, ...]:
        node = self._table["expect"]
        found = tuple(
            reader.read(scope.fill(item))
            for item in node.items()
            if applies(item, row.values, self._used_columns)
        )
        if not found:
            raise node.error(
                f"no alternative applies to the variant {row.key or self._id!r}"
            )
        return found

    def _find_captures(self) -> frozenset[str]:
        captures: list[str] = []
        for name, node in self._lets.items():
            if node.is_table and "capture" in node.table(None):
                value = node.table(("capture",))["capture"]
                if value.text() != name:
                    raise value.error(f"is {value.text()!r}, but must be {name!r}")
                captures.append(name)
        self._lets = {k: v for k, v in self._lets.items() if k not in captures}
        return frozenset(captures)

    def _refuse_unused(self) -> None:
        for column in self._plan.rows[0].values:
            if column not in self._used_columns:
                raise self._table["vary"].error(f"nothing uses the column {column!r}")
        for name in [*self._lets, *self._captures]:
            if name not in self._used_lets:
                raise self._table["let"].error(f"nothing uses the value {name!r}")
