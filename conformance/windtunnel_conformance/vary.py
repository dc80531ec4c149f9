"""The ``[vary]`` table: which runs one case has, and what they are called.

Comes in: the table, and a variant with whole sends. Goes out: rows of column values,
and the variants that deliver the same bytes in other pieces. Must not know: how a row
becomes a variant (``loader`` fills placeholders).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING, Final

from windtunnel_conformance.case import Send

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from windtunnel_conformance.case import PeerScript, Scalar, Variant
    from windtunnel_conformance.reading import Node

ROW_NAME: Final = "row"
"""A column of this name names the row in the variant id, and nothing else."""

MAX_CUTS = 4000
"""More offsets than this in one case would cost more time than they find."""

_COLUMN = re.compile(r"[a-z][a-z0-9_]{0,30}")
_SLUG = re.compile(r"[A-Za-z0-9._+-]{1,40}")


@dataclass(frozen=True, slots=True)
class Row:
    """One combination of values.

    Attributes:
        key: ``"cut=8"``, ``"code=302,target=b"``; empty for the only row.
        values: Column to typed value, without the name of the row.
        tls: True or False: all origins are to have TLS or not. None: as they are.
    """

    key: str = ""
    values: Mapping[str, Scalar] = field(default_factory=dict[str, "Scalar"])
    tls: bool | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What ``[vary]`` asks for: rows, and whether each is cut everywhere too."""

    rows: tuple[Row, ...] = (Row(),)
    split: bool = False


def read_vary(node: Node) -> Plan:
    """Read the table.

    Raises:
        CaseError: A row lacks a column, a name is no name, or two rows would have the
            same key.
    """
    table = node.table(("split", "table", "matrix", "tls"))
    if not table:
        raise node.error("is empty; leave it out or say split, table, matrix or tls")
    axes: list[list[Row]] = []
    if "table" in table:
        axes.append(_table_rows(table["table"]))
    if "matrix" in table:
        axes.extend(_matrix_axes(table["matrix"]))
    if "tls" in table:
        flags = [item.flag() for item in table["tls"].items()]
        axes.append([Row(f"tls={str(flag).lower()}", {}, flag) for flag in flags])
    rows = tuple(_combine(rows) for rows in product(*axes))
    _refuse_doubles(node, [row.key for row in rows])
    split = "split" in table
    if split:
        table["split"].choice(("every",))
    return Plan(rows, split)


def _combine(rows: Iterable[Row]) -> Row:
    keys: list[str] = []
    values: dict[str, Scalar] = {}
    tls: bool | None = None
    for row in rows:
        keys.append(row.key)
        values.update(row.values)
        tls = row.tls if row.tls is not None else tls
    return Row(",".join(keys), values, tls)


def _table_rows(node: Node) -> list[Row]:
    found: list[dict[str, Scalar]] = []
    for item in node.items():
        row = {name: _scalar(cell) for name, cell in item.table(None).items()}
        _check_columns(item, row)
        if found and row.keys() != found[0].keys():
            raise item.error(
                f"has the columns {', '.join(row)}, but the first row has "
                f"{', '.join(found[0])}"
            )
        found.append(row)
    if not found:
        raise node.error("has no rows")
    rows: list[Row] = []
    for key, row in zip(_row_keys(node, found), found, strict=True):
        rows.append(Row(key, {k: v for k, v in row.items() if k != ROW_NAME}))
    return rows


def _row_keys(node: Node, rows: Sequence[Mapping[str, Scalar]]) -> list[str]:
    """Name rows by ``row``, else by as few leading columns as tell them apart."""
    columns = list(rows[0])
    if ROW_NAME in columns:
        return [f"{ROW_NAME}={_slug(node, row[ROW_NAME])}" for row in rows]
    for count in range(1, len(columns) + 1):
        chosen = columns[:count]
        cells = [tuple(str(row[column]) for column in chosen) for row in rows]
        if len(set(cells)) == len(rows):
            return [
                ",".join(f"{column}={_slug(node, row[column])}" for column in chosen)
                for row in rows
            ]
    raise node.error("has two rows with the same values")


def _matrix_axes(node: Node) -> Iterator[list[Row]]:
    table = node.table(None)
    _check_columns(node, table)
    for column, cells in table.items():
        values = [_scalar(cell) for cell in cells.items()]
        if not values:
            raise cells.error("has no values")
        slugs = all(_SLUG.fullmatch(_text(value)) for value in values)
        yield [
            Row(f"{column}={_text(value) if slugs else index}", {column: value})
            for index, value in enumerate(values)
        ]


def _check_columns(node: Node, row: Mapping[str, object]) -> None:
    for name in row:
        if not _COLUMN.fullmatch(name):
            raise node.error(
                f"column {name!r} is no name (lower-case letters, digits and _)"
            )
    if not row:
        raise node.error("has no columns")


def _scalar(node: Node) -> Scalar:
    value = node.json()
    if isinstance(value, bool | int | float | str):
        return value
    raise node.error("must be a string, a number, true or false")


def _text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _slug(node: Node, value: Scalar) -> str:
    text = _text(value)
    if not _SLUG.fullmatch(text):
        raise node.error(
            f"{text[:40]!r} cannot be part of a variant id (letters, digits and ._+-, "
            f"at most 40); give each row a column {ROW_NAME!r} with a name"
        )
    return text


def _refuse_doubles(node: Node, keys: Sequence[str]) -> None:
    for key in keys:
        if keys.count(key) > 1:
            raise node.error(f"gives two variants the key {key!r}")


# --- cutting -----------------------------------------------------------------------


def cut_everywhere(variant: Variant, node: Node) -> list[Variant]:
    """Return the variants that deliver the same bytes whole and in all pieces.

    Args:
        variant: With whole sends.
        node: The ``split`` key, for messages.

    Returns:
        ``split=whole``, ``split=bytes`` (each send byte by byte), then one for each
        offset of each send: ``split=1.17`` cuts the second send before its byte 17.

    Raises:
        CaseError: There is nothing to cut, or there are too many offsets.
    """
    sends = [
        step.data
        for peer in variant.peers
        for step in peer.steps
        if isinstance(step, Send)
    ]
    offsets = sum(max(len(data) - 1, 0) for data in sends)
    if not 0 < offsets <= MAX_CUTS:
        raise node.error(
            f"there are {offsets} offsets to cut at, but must be from 1 to {MAX_CUTS}"
        )
    plans: list[tuple[str, Mapping[int, Send]]] = [
        ("whole", {}),
        ("bytes", {index: Send(_singly(data)) for index, data in enumerate(sends)}),
    ]
    plans.extend(
        (f"{index}.{cut}", {index: Send((data[:cut], data[cut:]))})
        for index, data in enumerate(sends)
        for cut in range(1, len(data))
    )
    prefix = f"{variant.key}," if variant.key else ""
    return [
        replace(
            variant,
            key=f"{prefix}split={name}",
            peers=_with_sends(variant.peers, changes),
        )
        for name, changes in plans
    ]


def _singly(data: bytes) -> tuple[bytes, ...]:
    return tuple(data[index : index + 1] for index in range(len(data)))


def _with_sends(
    peers: Iterable[PeerScript], changes: Mapping[int, Send]
) -> tuple[PeerScript, ...]:
    number = -1
    changed: list[PeerScript] = []
    for peer in peers:
        steps = list(peer.steps)
        for index, step in enumerate(steps):
            if isinstance(step, Send):
                number += 1
                steps[index] = changes.get(number, step)
        changed.append(replace(peer, steps=tuple(steps)))
    return tuple(changed)
