"""Plain names for the parts of the tunnel, where a project asks for them.

Comes in: the ini key ``windtunnel_aliases``. Goes out: fixtures with the names in it,
and a warning where a project has a fixture of that name itself. Never on by default:
most projects have a ``session`` of their own already.
"""

from __future__ import annotations

import difflib
import types
import warnings
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    import windtunnel as client
    from windtunnel_fakeserver import FakeServer
    from windtunnel_fakeserver.simulation import Clock

INI_KEY: Final = "windtunnel_aliases"
_MODULE: Final = "windtunnel_aliases"


class WindtunnelAliasWarning(pytest.PytestWarning):
    """A fixture of the project hides one that ``windtunnel_aliases`` asked for."""


@pytest.fixture
def server(wt_server: FakeServer) -> FakeServer:
    """The same as ``wt_server``."""
    return wt_server


@pytest.fixture
def session(wt_session: client.ClientSession) -> client.ClientSession:
    """The same as ``wt_session``."""
    return wt_session


@pytest.fixture
def clock(wt_clock: Clock) -> Clock:
    """The same as ``wt_clock``."""
    return wt_clock


_ALIASES: Final[dict[str, Any]] = {
    "server": server,
    "session": session,
    "clock": clock,
}


def register(config: pytest.Config) -> None:
    """Register the fixtures that the ini file asks for.

    Raises:
        pytest.UsageError: It asks for a name that is none of them.
    """
    wanted: list[str] = config.getini(INI_KEY)
    if not wanted:
        return
    # A module, because pytest looks for fixtures among the names of plugins.
    module = types.ModuleType(_MODULE)
    for name in wanted:
        if name not in _ALIASES:
            near = difflib.get_close_matches(name, _ALIASES, 1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            msg = (
                f"ini key {INI_KEY}: {name!r:.40} is no alias, allowed are "
                f"{', '.join(_ALIASES)}{hint}"
            )
            raise pytest.UsageError(msg)
        setattr(module, name, _ALIASES[name])
    config.pluginmanager.register(module, _MODULE)
    config.pluginmanager.register(_ShadowWatch(wanted), f"{_MODULE}_watch")


class _ShadowWatch:
    """Tells of fixtures that hide an alias, once for each."""

    def __init__(self, names: list[str]) -> None:
        self._names = names

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Look at what each test would get."""
        told: set[object] = set()
        for item in items:
            info = getattr(item, "_fixtureinfo", None)
            if info is None:
                continue
            for name in self._names:
                for hiding in _hiding(info.name2fixturedefs.get(name, ())):
                    if hiding not in told:
                        told.add(hiding)
                        _warn(name, hiding)


def _hiding(definitions: Any) -> list[Any]:
    """Return the function that a test gets in place of an alias; it may extend it."""
    if not definitions or definitions[0].func.__module__ != __name__:
        return []
    last = definitions[-1]
    is_ours = last.func.__module__ == __name__
    return [] if is_ours or last.argname in last.argnames else [last.func]


def _warn(name: str, function: Any) -> None:
    code = function.__code__
    text = (
        f"{INI_KEY} names {name!r}, but the fixture {name!r} at "
        f"{code.co_filename}:{code.co_firstlineno} hides it; rename that one, or take "
        f"{name!r} out of {INI_KEY} and use `wt_{name}`"
    )
    warnings.warn_explicit(
        text, WindtunnelAliasWarning, code.co_filename, code.co_firstlineno
    )
