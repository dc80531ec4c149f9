"""What a wheel of the project holds: the packages with their data, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.repo.project import PACKAGES, ROOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The paths inside a freshly built wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=120,
    )
    (wheel,) = folder.glob("*.whl")
    return zipfile.ZipFile(wheel).namelist()


def files_of(package: Path) -> set[str]:
    return {
        f"{package.name}/{path.relative_to(package).as_posix()}"
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_each_file_of_a_package_is_in_the_wheel(package: str, names: list[str]) -> None:
    expected = files_of(PACKAGES[package])
    assert expected - set(names) == set()


def test_nothing_but_packages_and_metadata_is_in_the_wheel(names: list[str]) -> None:
    roots = {name.split("/")[0] for name in names}
    assert {root for root in roots if not root.endswith(".dist-info")} == set(PACKAGES)


def test_the_licence_travels_with_the_wheel(names: list[str]) -> None:
    assert [name for name in names if name.endswith("/licenses/LICENSE")]
