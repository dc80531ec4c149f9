"""An application of a user is clean for mypy and pyright, and mistakes in it are not.

The checkers see what a user has: the files of the wheel among the installed packages,
and no setting of this repository.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.repo.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLE = ROOT / "tests" / "typed_example"
WRONG = EXAMPLE / "wrong_uses.py"
MARKED = {
    number
    for number, line in enumerate(WRONG.read_text("utf-8").splitlines(), start=1)
    if "# wrong: " in line
}
NEEDED = ("multidict", "yarl", "propcache", "idna", "aiohappyeyeballs")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a user: an environment with the wheel in it, and no settings."""
    folder = tmp_path_factory.mktemp("user")
    venv.create(folder / "env", with_pip=False)
    (packages,) = (folder / "env").glob("lib/python*/site-packages")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d"]
    subprocess.run(
        [*build, str(folder)], cwd=ROOT, check=True, capture_output=True, timeout=120
    )
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(packages)
    ours = Path(sysconfig.get_path("purelib"))
    for name in NEEDED:
        (packages / name).symlink_to(ours / name)
    settings = {"typeCheckingMode": "strict"}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    return folder


def python_of(home: Path) -> str:
    return str(home / "env" / "bin" / "python")


def run(home: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=home,
        env={"PATH": str(Path(sys.executable).parent)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    return done.stdout + done.stderr


def mypy(home: Path, file: Path) -> list[str]:
    words = ["mypy", "--strict", "--no-error-summary", "--python-executable"]
    said = run(home, *words, python_of(home), "--hide-error-context", str(file))
    return [line for line in said.splitlines() if ": note: " not in line]


def pyright(home: Path, file: Path) -> list[str]:
    said = run(home, "pyright", "--pythonpath", python_of(home), str(file))
    return [line for line in said.splitlines() if " - error: " in line]


CHECKERS = [pytest.param(mypy, id="mypy"), pytest.param(pyright, id="pyright")]


@pytest.mark.parametrize("checker", CHECKERS)
def test_an_application_of_a_user_is_clean(
    home: Path, checker: Callable[[Path, Path], list[str]]
) -> None:
    file = home / "station.py"
    file.write_text((EXAMPLE / file.name).read_text("utf-8"), "utf-8")
    assert checker(home, file) == []


@pytest.mark.parametrize("checker", CHECKERS)
def test_each_mistake_of_a_user_is_found_and_nothing_else(
    home: Path, checker: Callable[[Path, Path], list[str]]
) -> None:
    file = home / "wrong_uses.py"
    file.write_text(WRONG.read_text("utf-8"), "utf-8")
    said = "\n".join(checker(home, file))
    found = {int(number) for number in re.findall(r"wrong_uses\.py:(\d+):", said)}
    assert found == MARKED, said
