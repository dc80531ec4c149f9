"""Which ready-made app answers for which public name.

Comes in: a tunnel, or anything else that can declare hosts. Goes out: the same, with
the names of the quickstart declared. Must not know: how a host is served.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from windtunnel_fakeserver.apps.hosts import example_com, github_api, python_org
from windtunnel_fakeserver.apps.httpbin import httpbin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windtunnel_fakeserver._script.reply import App

ORIGINS: Final[Mapping[str, App]] = {
    "http://httpbin.org": httpbin,
    "https://httpbin.org": httpbin,
    "https://api.github.com": github_api,
    "http://python.org": python_org,
    "http://example.com": example_com,
    "https://example.com": example_com,
}
"""Origin -> app, for every public host that the examples talk to."""


class Internet(Protocol):
    """What ``simulated_internet`` needs: the ``host`` of a Tunnel or a Loopback."""

    def host(self, origin: str, /, *, app: App) -> object:
        """Declare one origin, answered by ``app``."""
        ...


def simulated_internet(venue: Internet) -> None:
    """Declare the public hosts of the examples in a tunnel, each with its app.

    Args:
        venue: A ``Tunnel`` (or ``Loopback``) that has none of these origins yet;
            see ``ORIGINS`` for the list.
    """
    for origin, app in ORIGINS.items():
        venue.host(origin, app=app)
