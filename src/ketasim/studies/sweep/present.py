"""Whether anybody is there to work: a cluster without workers is waited for, but not in silence."""

import logging
import time
from collections.abc import Sequence
from typing import Any

from ketasim.errors import ClusterError

LOG = logging.getLogger("ketasim.sweep")
BEAT = 0.1  # between looks at what has come back [s]
LOOK = 10.0  # between looks at who is there [s]
PATIENCE = 60.0  # with workers of this process's own, which nobody else will bring back [s]


class Present:
    """Looks, now and then, whether a client's cluster has any worker."""

    def __init__(self, client: Any) -> None:
        from distributed import LocalCluster

        self.client = client
        self.own = isinstance(client.cluster, LocalCluster)
        self.looked = time.monotonic()
        self.gone: float | None = None  # since when there is none

    def look(self) -> None:
        """Say when no worker is left.

        Raises
        ------
        ClusterError
            When those that this process started are gone for good.
        """
        now = time.monotonic()
        if now - self.looked < LOOK:
            return
        self.looked = now
        if self.client.ncores():
            self.gone = None
            return
        address = self.client.scheduler.address
        if self.gone is None:
            self.gone = now
            LOG.warning(
                f"no worker is at the scheduler {address}; waiting for one to join. What was "
                "written is whole; Ctrl-C stops."
            )
        elif self.own and now - self.gone > PATIENCE:
            raise ClusterError(
                f"the workers at {address} are gone and have not come back for "
                f"{now - self.gone:.0f} s. What was written is whole: type the same command again, "
                "with fewer workers if memory was short."
            )

    def await_one(self) -> None:
        """Return once there is a worker."""
        while not self.client.ncores():
            self.look()
            time.sleep(BEAT)

    def until_ended(self, futures: Sequence[Any]) -> None:
        """Return once every task has ended, well or not."""
        from distributed import wait

        while True:
            try:
                wait(futures, timeout=LOOK)  # type: ignore[no-untyped-call]
                return
            except TimeoutError:
                self.look()

    def error_of(self, future: Any) -> BaseException | None:
        """Return what a task raised, or None, once it has ended."""
        self.until_ended([future])
        error: BaseException | None = future.exception()
        return error
