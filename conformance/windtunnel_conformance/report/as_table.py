"""The report for people at a terminal: counts by family, then every surprise.

In: ``RunResults`` and a rich console. Out: what is printed there. A surprise comes with
the judge's reasons and a short wire log, so that the next step needs no other tool.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from windtunnel_conformance.case import Verdict
from windtunnel_conformance.report.wirelog import log_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windtunnel_conformance.results import (
        CaseResult,
        ClientResult,
        RunResults,
        VariantResult,
    )

_STYLES = {
    Verdict.PASS: "green",
    Verdict.LENIENT: "yellow",
    Verdict.INFO: "cyan",
    Verdict.SKIPPED: "dim",
    Verdict.UNSUPPORTED: "dim",
    Verdict.BLOCKED: "magenta",
    Verdict.FAIL: "red",
    Verdict.ERROR: "bold red",
}
_LOG_LINES = 24
_LOG_BYTES = 160
_SURPRISES = 20


_LEAST_COLUMNS = 100


def print_report(results: RunResults, console: Console | None = None) -> None:
    """Print the counts, the surprises of each client, and a last line that says all.

    Args:
        results: What to print.
        console: Where; None is standard output, in a width that a table fits into.
    """
    if console is None:
        console = Console()
        if not console.is_terminal:
            console = Console(width=max(console.width, _LEAST_COLUMNS))
    console.print(_counts(results))
    for client in results.clients:
        _print_client(client, console)
    console.print(_summary(results))


def _counts(results: RunResults) -> Table:
    table = Table(title="Conformance", title_justify="left", header_style="bold")
    table.add_column("family", no_wrap=True)
    for client in results.clients:
        table.add_column(f"{client.name} {client.version}".rstrip(), justify="left")
    for family in results.families:
        row = [_count_text(client.counts(family)) for client in results.clients]
        table.add_row(family, *row)
    table.add_section()
    totals = [_count_text(client.counts()) for client in results.clients]
    table.add_row(Text("all", style="bold"), *totals)
    return table


def _count_text(counts: Mapping[Verdict, int]) -> Text:
    words = [
        Text(f"{counts[verdict]} {verdict}", style=_STYLES[verdict])
        for verdict in Verdict
        if counts.get(verdict)
    ]
    return Text(", ").join(words)


def _print_client(client: ClientResult, console: Console) -> None:
    if client.problem:
        console.print(Text(f"{client.name}: {client.problem}", style="bold red"))
    if client.remark:
        console.print(Text(client.remark, style="yellow"))
    surprises = list(client.surprises())
    for result in surprises[:_SURPRISES]:
        _print_surprise(client.name, result, console)
    if len(surprises) > _SURPRISES:
        console.print(f"... {len(surprises) - _SURPRISES} more surprises")
    for entry in client.unmatched:
        console.print(
            Text(f"{client.name}: expectation without a result: {entry}", style="red")
        )


def _print_surprise(client: str, result: CaseResult, console: Console) -> None:
    variant = result.telling
    name = f"{result.case.id}@{variant.key}" if variant.key else result.case.id
    console.print()
    console.print(
        Text.assemble(
            (f"{variant.verdict}", _STYLES[variant.verdict]),
            f"  {client}  ",
            (name, "bold"),
            f"  ({result.case.level})  {result.case.title}",
        )
    )
    also = sum(not one.expected for one in result.variants) - 1
    if also:
        console.print(f"  and {also} more of its variants")
    console.print(Text(f"  {variant.surprise}", style="red"))
    for reason in variant.reasons:
        console.print(Text(_indent(reason, "  ")))
    _print_log(variant, console)


def _print_log(variant: VariantResult, console: Console) -> None:
    if variant.outcome is None:
        return
    lines: list[str] = []
    for row in log_rows(variant.outcome, max_bytes=_LOG_BYTES):
        head = f"  t={row.time:.6f}  {row.who:<6} {row.arrow or ' '} "
        lines.append(head + _indent(row.text, " " * len(head)).lstrip())
    flat = "\n".join(lines).splitlines()
    for line in flat[:_LOG_LINES]:
        console.print(Text(line, style="dim"), soft_wrap=True)
    if len(flat) > _LOG_LINES:
        console.print(f"  ... {len(flat) - _LOG_LINES} more lines")


def _summary(results: RunResults) -> Text:
    executions = sum(
        one.outcome is not None
        for client in results.clients
        for case in client.cases
        for one in case.variants
    )
    facts = ", ".join(
        (
            _number(len(results.cases), "case"),
            _number(len(results.clients), "client"),
            _number(executions, "run"),
        )
    )
    if results.as_expected:
        return Text(f"{facts}: all as expected", style="bold green")
    count = sum(
        len(list(client.surprises())) + len(client.unmatched) + bool(client.problem)
        for client in results.clients
    )
    return Text(f"{facts}: {_number(count, 'surprise')}", style="bold red")


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _indent(text: str, margin: str) -> str:
    return "\n".join(margin + line for line in text.splitlines())
