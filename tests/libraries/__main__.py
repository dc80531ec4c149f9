"""Runs the flows twice: with aiohttp, which judges the tests, and with windtunnel.

A flow that fails with both is wrong itself; one that fails only with windtunnel shows
where the client is not compatible.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.libraries.session import CLIENTS

HERE = Path(__file__).parent


def main() -> int:
    """Return the worst exit code of the two sessions."""
    codes: list[int] = []
    for client in CLIENTS:
        command = [sys.executable, "-m", "pytest", "-p", "tests.libraries.session"]
        done = subprocess.run([*command, "--client", client, str(HERE), *sys.argv[1:]])
        codes.append(done.returncode)
    for client, code in zip(CLIENTS, codes, strict=True):
        print(f"{client:<12} {'all flows pass' if code == 0 else 'FAILS'}")  # noqa: T201  # its output
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
