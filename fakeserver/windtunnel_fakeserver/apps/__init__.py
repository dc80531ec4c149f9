"""Ready-made hosts of a simulated internet.

Comes in: recorded requests. Goes out: replies. An app is a plain function, so it can be
mounted on any origin: ``tunnel.host("http://httpbin.org", app=httpbin)``. Must not
know: the simulation, connections, which client is asking.
"""

from __future__ import annotations

from windtunnel_fakeserver.apps.hosts import example_com, github_api, python_org
from windtunnel_fakeserver.apps.httpbin import httpbin
from windtunnel_fakeserver.apps.internet import ORIGINS, Internet, simulated_internet

__all__ = [
    "ORIGINS",
    "Internet",
    "example_com",
    "github_api",
    "httpbin",
    "python_org",
    "simulated_internet",
]
