"""The ``windtunnel`` command: the door, and what it says when a package is missing.

Imports nothing but the standard library until it is called, so that it can be
installed with the client alone and still answer in a sentence.
"""

from __future__ import annotations

import sys

_EXTRA = frozenset({"click", "rich", "jinja2", "trustme"})
_USAGE_ERROR = 2


def main() -> None:
    """Run the command line; ends the process with its exit status.

    The status is 0 if every result is as expected, 1 if one is not, 2 if the command
    was wrong or something needed for it is not installed.
    """
    try:
        from windtunnel_conformance.commands import windtunnel  # lazy

        windtunnel(prog_name="windtunnel")
    except ModuleNotFoundError as exc:
        if exc.name not in _EXTRA:
            raise
        sys.stderr.write(
            f"windtunnel: this command needs the package {exc.name!r}: "
            "pip install 'windtunnel[conformance]'\n"
        )
        sys.exit(_USAGE_ERROR)
