"""What the tests of the simulation share."""

from __future__ import annotations

import pytest

from tests.fakeserver.simulation.certificates import Certificates


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    return Certificates()
