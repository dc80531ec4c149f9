"""A pytest session in which ``import aiohttp`` gives the client that was asked for.

Loaded with ``-p tests.libraries.session``, before any library is imported. With
``--client windtunnel`` the names ``aiohttp`` and ``aiohttp.x`` are ``windtunnel`` and
``windtunnel.x``; with ``--client aiohttp`` they are what they say.
"""

from __future__ import annotations

import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING

from windtunnel._base.compat import override

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    import pytest

CLIENTS = ("aiohttp", "windtunnel")
_THEIRS, _OURS = CLIENTS


class _Alias(MetaPathFinder, Loader):
    """Finds their names and loads our modules, each of which exists only once."""

    @override
    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        is_theirs = fullname.partition(".")[0] == _THEIRS
        return ModuleSpec(fullname, self) if is_theirs else None

    @override
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return importlib.import_module(_OURS + spec.name.removeprefix(_THEIRS))

    @override
    def exec_module(self, module: ModuleType) -> None:
        """Leave it as it is: it was loaded under its own name."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--client", choices=CLIENTS, default=_OURS)


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--client") != _OURS:
        return
    if _THEIRS in sys.modules:
        msg = f"{_THEIRS} was imported before {_OURS} could take its place"
        raise RuntimeError(msg)
    sys.meta_path.insert(0, _Alias())


def pytest_report_header(config: pytest.Config) -> str:
    import aiohttp

    return f"import aiohttp: {aiohttp.__file__}"
