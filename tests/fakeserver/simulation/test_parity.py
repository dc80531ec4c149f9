"""Real beats fake: every scenario runs on the kernel and on the simulation alike.

Each scenario is run on loopback sockets with the stock loop, and in a simulated world;
the callbacks that its protocols saw, the errors and the results must be equal.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
from typing import TYPE_CHECKING

import pytest

from tests.fakeserver.simulation import parity_api, parity_close, parity_reset
from tests.fakeserver.simulation.lab import Lab
from windtunnel_fakeserver.simulation import World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import ModuleType

    from tests.fakeserver.simulation.certificates import Certificates

    Scenario = Callable[[Lab], Awaitable[object]]


def _scenarios(module: ModuleType) -> list[Scenario]:
    return [
        value
        for name, value in vars(module).items()
        if inspect.iscoroutinefunction(value)
        and value.__module__ == module.__name__
        and not name.startswith("_")
    ]


SCENARIOS = list(
    itertools.chain.from_iterable(
        _scenarios(module) for module in (parity_close, parity_reset, parity_api)
    )
)


async def _run(scenario: Scenario, certificates: Certificates) -> object:
    lab = Lab(certificates)
    try:
        return await scenario(lab)
    finally:
        await lab.aclose()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_scenario_agrees_between_real_sockets_and_the_simulation(
    scenario: Scenario, certificates: Certificates
) -> None:
    with asyncio.Runner() as runner:
        real = runner.run(_run(scenario, certificates))
    with World() as world:
        simulated = world.run(_run(scenario, certificates))
        assert simulated == real
        assert world.leaks() == []


def test_there_are_enough_scenarios() -> None:
    assert len(SCENARIOS) >= 45
