"""The subcommands ``run``, ``list`` and ``show``.

In: words of a command line. Out: reports on standard output, progress and complaints
on standard error, an exit status. Everything a person can get wrong here is answered
with a sentence that says what is allowed.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from windtunnel_conformance.adapters.base import AdapterUnavailableError
from windtunnel_conformance.adapters.catalogue import (
    NAMES,
    open_adapter,
    open_command,
)
from windtunnel_conformance.case import Level
from windtunnel_conformance.errors import CorpusError
from windtunnel_conformance.expectations import load_profile
from windtunnel_conformance.loader import CORPUS_FOLDER, load_corpus
from windtunnel_conformance.runner import Entrant, RunOptions
from windtunnel_conformance.selection import SelectionError, Wanted, select
from windtunnel_conformance.side_by_side import run_side_by_side

if TYPE_CHECKING:
    from windtunnel_conformance.case import Case
    from windtunnel_conformance.loader import Corpus
    from windtunnel_conformance.results import RunResults

_WARM_UP = "basic/get-200"

# click keeps the lines of a paragraph that begins with a backspace as they are.
_EXAMPLES = """\b
Examples:
  windtunnel run                                   the reference client
  windtunnel run --client aiohttp --client httpx   two others
  windtunnel run --command "my-adapter --flag"     any language, by JSON lines
  windtunnel list --family framing                 what there is
  windtunnel show basic/get-200                    one case, in full
"""
_RUN_EXAMPLES = """\b
Examples:
  windtunnel run --variants all --html report
  windtunnel run --client node --level must --format junit > conformance.xml
  windtunnel run --client aiohttp --case smuggling/cl-and-te
"""
_LIST_EXAMPLES = """\b
Examples:
  windtunnel list --level must
  windtunnel list --family framing --format json
"""
_SHOW_EXAMPLES = """\b
Example:
  windtunnel show framing/chunked/every-split
"""

_LEVELS = click.Choice([str(level) for level in Level])
_corpus_option = click.option(
    "--corpus",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=CORPUS_FOLDER,
    show_default="the shipped cases",
    help="Folder with case files.",
)
_family_option = click.option(
    "--family", "families", multiple=True, help="Only this family, or part of it."
)
_level_option = click.option(
    "--level", "levels", type=_LEVELS, multiple=True, help="Only cases of this level."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EXAMPLES)
@click.version_option(package_name="windtunnel")
def windtunnel() -> None:
    """Put HTTP clients into the wind tunnel and see how they hold."""


@windtunnel.command(epilog=_RUN_EXAMPLES)
@click.option(
    "--client",
    "clients",
    multiple=True,
    metavar="NAME",
    help=f"Client to run: {', '.join(NAMES)}. May be repeated. [default: windtunnel]",
)
@click.option(
    "--command",
    "programs",
    multiple=True,
    metavar="CMD",
    help="Adapter program that speaks the JSON-lines protocol. May be repeated.",
)
@_family_option
@click.option("--case", "ids", multiple=True, metavar="ID", help="Only this case.")
@_level_option
@click.option(
    "--variants",
    type=click.Choice(["base", "all"]),
    default="base",
    show_default=True,
    help="Run the first variant of each case, or every one.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "junit"]),
    default="table",
    show_default=True,
    help="Form of the report on standard output.",
)
@click.option(
    "--html",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Also write a page with all wire logs into this folder.",
)
@click.option(
    "--lax", is_flag=True, help="A known difference that is gone is no surprise."
)
@_corpus_option
@click.pass_context
def run(
    context: click.Context,
    /,
    *,
    clients: tuple[str, ...],
    programs: tuple[str, ...],
    families: tuple[str, ...],
    ids: tuple[str, ...],
    levels: tuple[str, ...],
    variants: str,
    form: str,
    html: Path | None,
    lax: bool,
    folder: Path,
) -> None:
    """Run cases on clients and compare with what is expected of them.

    The exit status is 0 only if every result is as expected, 1 if one is not, 2 if the
    command was wrong.
    """
    _need("rich", "trustme", *(["jinja2"] if html is not None else []))
    from windtunnel_conformance.progress import open_progress  # an extra

    corpus = _load(folder)
    cases = _select(corpus, families, ids, levels)
    names = clients or (() if programs else ("windtunnel",))
    entrants = [_entrant(name) for name in dict.fromkeys(names)]
    entrants += [_program(command) for command in programs]
    options = RunOptions(
        all_variants=variants == "all",
        lax=lax,
        corpus=_variant_ids(corpus) if folder == CORPUS_FOLDER else (),
        warm_up=corpus.cases.get(_WARM_UP),
    )
    results = run_side_by_side(entrants, cases, options, open_progress)
    _report(results, form, html)
    context.exit(0 if results.as_expected else 1)


@windtunnel.command("list", epilog=_LIST_EXAMPLES)
@_family_option
@_level_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="Form of the list.",
)
@_corpus_option
def list_cases(
    *,
    families: tuple[str, ...],
    levels: tuple[str, ...],
    form: str,
    folder: Path,
) -> None:
    """List the cases of the corpus."""
    cases = _select(_load(folder), families, (), levels)
    if form == "json":
        click.echo(json.dumps([_facts(case) for case in cases], indent=2))
        return
    width = max(len(case.id) for case in cases)
    for case in cases:
        count = len(case.variants)
        click.echo(
            f"{case.id:<{width}}  {case.level:<10}  {count:>4} "
            f"{'variant ' if count == 1 else 'variants'}  {case.title}"
        )
    click.echo(f"{len(cases)} cases", err=True)


@windtunnel.command(epilog=_SHOW_EXAMPLES)
@click.argument("case_id", metavar="CASE")
@_corpus_option
def show(*, case_id: str, folder: Path) -> None:
    """Show one case: what it is about, its variants, and its file."""
    (case,) = _select(_load(folder), (), (case_id,), ())
    click.secho(case.id, bold=True)
    click.echo(case.title)
    click.echo(f"level {case.level}, rests on {', '.join(case.spec)}")
    if case.needs:
        click.echo(f"needs {', '.join(case.needs)}")
    if len(case.variants) > 1:
        keys = [variant.key for variant in case.variants]
        shown = ", ".join(keys[:8]) + (", ..." if len(keys) > 8 else "")
        click.echo(f"{len(keys)} variants: {shown}")
    click.echo()
    click.echo(case.source.rstrip())


def _facts(case: Case) -> dict[str, object]:
    return {
        "id": case.id,
        "family": case.family,
        "title": case.title,
        "level": str(case.level),
        "spec": list(case.spec),
        "needs": list(case.needs),
        "depends": list(case.depends),
        "variants": [variant.key for variant in case.variants],
    }


def _load(folder: Path) -> Corpus:
    try:
        return load_corpus(folder)
    except CorpusError as exc:
        _stop(str(exc))


def _select(
    corpus: Corpus,
    families: tuple[str, ...],
    ids: tuple[str, ...],
    levels: tuple[str, ...],
) -> list[Case]:
    wanted = Wanted(families, ids, tuple(Level(level) for level in levels))
    try:
        return select(corpus, wanted)
    except SelectionError as exc:
        _stop(str(exc))


def _entrant(name: str) -> Entrant:
    try:
        return Entrant(name, open_adapter(name), load_profile(name))
    except (ValueError, AdapterUnavailableError) as exc:
        _stop(str(exc))


def _program(command: str) -> Entrant:
    try:
        return Entrant(command, open_command(command), None)
    except ValueError as exc:
        _stop(str(exc))


def _variant_ids(corpus: Corpus) -> tuple[str, ...]:
    return tuple(
        variant.id for case in corpus.cases.values() for variant in case.variants
    )


def _report(results: RunResults, form: str, html: Path | None) -> None:
    if form == "json":
        from windtunnel_conformance.report.as_json import (  # one of three
            json_report,
        )

        click.echo(json_report(results), nl=False)
    elif form == "junit":
        from windtunnel_conformance.report.as_junit import (  # one of three
            junit_report,
        )

        click.echo(junit_report(results), nl=False)
    else:
        from windtunnel_conformance.report.as_table import (  # one of three
            print_report,
        )

        print_report(results)
    if html is not None:
        from windtunnel_conformance.report.as_html import (  # an extra
            write_html,
        )

        try:
            page = write_html(results, html)
        except OSError as exc:
            _stop(f"the page cannot be written into {str(html)!r}: {exc.strerror}")
        click.echo(f"Report: {page}", err=True)


def _need(*modules: str) -> None:
    for name in modules:
        if importlib.util.find_spec(name) is None:
            raise ModuleNotFoundError(f"no module {name!r}", name=name)


def _stop(message: str) -> NoReturn:
    click.echo(f"windtunnel: {message}", err=True)
    sys.exit(2)
