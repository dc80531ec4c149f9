"""``python -m windtunnel_conformance``: the same as the ``windtunnel`` command."""

from __future__ import annotations

from windtunnel_conformance.cli import main

main()
