"""Measure one client in one scenario; run it as a fresh process for each round.

It prints one JSON object: seconds on the wall, CPU seconds (user and system), page
faults, memory, and instructions in user space if the processor may be asked for them.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import resource
import sys
import time
from typing import Any

from tests.bench.counters import InstructionCounter, allow_open_files, peak_kib
from tests.bench.scenarios import SCENARIOS, Scenario
from tests.bench.work import Bench, Site


async def measure(
    scenario: Scenario, entrant: str, site: Site, amount: int
) -> dict[str, Any]:
    """Run a scenario once and say what it cost this process."""
    client = importlib.import_module(entrant)
    session_class = client.ClientSession  # imported by that, if the client is lazy
    counter = InstructionCounter()
    kib_after_import = peak_kib()
    connector = client.TCPConnector(**scenario.connector)
    async with session_class(connector=connector) as session:
        bench = Bench(client, session, site)
        await scenario.run(bench, min(scenario.warm_up, amount))
        before = resource.getrusage(resource.RUSAGE_SELF)
        started = time.perf_counter()
        counter.start()
        await scenario.run(bench, amount)
        instructions = counter.stop()
        seconds = time.perf_counter() - started
        after = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "entrant": entrant,
        "version": client.__version__,
        "scenario": scenario.name,
        "operations": amount,
        "seconds": seconds,
        "cpu_seconds": (after.ru_utime - before.ru_utime)
        + (after.ru_stime - before.ru_stime),
        "page_faults": after.ru_minflt - before.ru_minflt,
        "instructions": instructions,
        "kib_after_import": kib_after_import,
        "peak_kib": peak_kib(),
    }


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("entrant")
    parser.add_argument("scenario", choices=sorted(SCENARIOS))
    parser.add_argument("site", type=Site.from_json)
    parser.add_argument("amount", type=int)
    options = parser.parse_args()
    scenario = SCENARIOS[options.scenario]
    allow_open_files()
    for module in scenario.without:
        sys.modules[module] = None  # type: ignore[assignment]  # says: not there
    result = asyncio.run(
        measure(scenario, options.entrant, options.site, options.amount)
    )
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
