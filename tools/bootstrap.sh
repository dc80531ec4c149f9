#!/bin/sh
# Make .venv and install the project with its development extra into it.
#
# Called by the Makefile; needs a Python of 3.11 or newer with the venv module, and
# nothing else. PYTHON=/path/to/python chooses one; otherwise the first that fits wins.
set -eu

cd "$(dirname "$0")/.."
venv=.venv

say() { printf '%s\n' "$*" >&2; }

fits() {
    command -v "$1" >/dev/null 2>&1 &&
        "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

choose() {
    if [ -n "${PYTHON:-}" ]; then
        fits "$PYTHON" && { printf '%s' "$PYTHON"; return; }
        say "PYTHON=$PYTHON is not a Python of version 3.11 or newer."
    else
        for name in python3 python python3.14 python3.13 python3.12 python3.11; do
            fits "$name" && { printf '%s' "$name"; return; }
        done
        found=$(python3 --version 2>/dev/null || echo "no python3")
        say "windtunnel needs Python 3.11 or newer; this machine has: $found."
    fi
    say "Install one (on Debian or Ubuntu: apt install python3 python3-venv; on macOS:"
    say "brew install python; on Windows: winget install Python.Python.3.13), or name it:"
    say "make test PYTHON=/path/to/python3.13"
    exit 1
}

python=$(choose)
if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    say "$python has no venv module. Install it (on Debian or Ubuntu: apt install python3-venv)"
    say "and run the same command again."
    exit 1
fi

say "Setting up $venv with $("$python" --version) (once; takes a minute or two) ..."
"$python" -m venv --clear "$venv"
install() {
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --constraint constraints.txt "$@"
}
# The build backend comes first and is pinned too, so that nothing floats.
install hatchling editables
install --no-build-isolation --editable '.[dev]'
touch "$venv/ready"
say "Ready."
