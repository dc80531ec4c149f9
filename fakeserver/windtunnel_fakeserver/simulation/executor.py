"""Thread jobs of the simulated loop: real threads, deterministic order of results.

In: jobs of ``run_in_executor``. Out: their results, all at once when the last one is
done, in the order in which they were submitted; until then virtual time stands still.
It must not know the clock: the pacer calls ``wait`` when nothing else can run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import asyncio
    import concurrent.futures
    import threading
    from collections.abc import Callable

__all__ = ["THREAD_PREFIX", "Job", "Jobs"]

THREAD_PREFIX = "windtunnel-job"  # names of the threads of the default executor


class Job(NamedTuple):
    """One thread job.

    Attributes:
        work: The job as the executor sees it.
        waiter: The future that the loop gave out for it.
        name: What runs, for reports.
    """

    work: concurrent.futures.Future[Any]
    waiter: asyncio.Future[Any]
    name: str


class Jobs:
    """All thread jobs of one loop.

    Args:
        wakeup: Set by every job that ends, and by ``call_soon_threadsafe``.
        on_partial: Called when results had to be delivered before all jobs were done,
            so that their order is not certain.
        patience: Real seconds that done jobs wait for the others. Jobs may wait for
            each other's results; then this is what frees them.
    """

    def __init__(
        self,
        wakeup: threading.Event,
        on_partial: Callable[[], None],
        patience: float = 1.0,
    ) -> None:
        self._wakeup = wakeup
        self._on_partial = on_partial
        self._patience = patience
        self._jobs: list[Job] = []

    def __bool__(self) -> bool:
        return bool(self._jobs)

    def submit(
        self,
        executor: concurrent.futures.Executor,
        waiter: asyncio.Future[Any],
        func: Callable[..., Any],
        args: tuple[Any, ...],
    ) -> None:
        """Start a job whose result goes to ``waiter``."""
        work = executor.submit(func, *args)
        work.add_done_callback(lambda _: self._wakeup.set())
        waiter.add_done_callback(lambda _: waiter.cancelled() and work.cancel())
        self._jobs.append(Job(work, waiter, getattr(func, "__qualname__", repr(func))))

    def wait(self, is_busy: Callable[[], bool], limit: float) -> bool:
        """Wait in real time until the jobs are done or the loop has something to do.

        Args:
            is_busy: Whether the loop has something to do.
            limit: Real seconds without any news that are too long.

        Returns:
            False if the limit passed.
        """
        while not is_busy():
            done = sum(job.work.done() for job in self._jobs)
            if done == len(self._jobs):
                self.deliver()
                return True
            # Clear first, look again, then wait: a job that ends in between sets it.
            self._wakeup.clear()
            if is_busy() or sum(job.work.done() for job in self._jobs) != done:
                continue
            if self._wakeup.wait(self._patience if done else limit):
                continue
            if not done:
                return False
            self._on_partial()
            self.deliver()
            return True
        return True

    def deliver(self) -> None:
        """Hand out the results of the jobs that are done, in order of submission."""
        done = [job for job in self._jobs if job.work.done()]
        self._jobs = [job for job in self._jobs if not job.work.done()]
        for job in done:
            _hand_over(job)

    def abandon(self) -> None:
        """Wait for no job any more; those that did not start are cancelled."""
        for job in self._jobs:
            job.work.cancel()
        self._jobs.clear()

    def names(self) -> list[str]:
        """What runs at present, in order of submission."""
        return [job.name for job in self._jobs if not job.work.done()]


def _hand_over(job: Job) -> None:
    if job.waiter.done():
        return
    if job.work.cancelled():
        job.waiter.cancel()
    elif (error := job.work.exception()) is not None:
        if isinstance(error, StopIteration):
            # A future cannot carry one: it would end whoever awaits it.
            error = RuntimeError(f"thread job {job.name} raised {error!r}")
        job.waiter.set_exception(error)
    else:
        job.waiter.set_result(job.work.result())
