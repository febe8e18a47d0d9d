"""Whatever takes many runs, carried out by the workers of a cluster."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ketasim.engines.contract import Array, Asked, Attempt, Batch, Settings
from ketasim.engines.run import attempts, carried_by
from ketasim.studies.sweep.cluster import answering
from ketasim.studies.sweep.present import Present

EACH = 2  # parts of a batch for each worker's thread


@contextmanager
def on_cluster(client: Any) -> Iterator[None]:
    """Have the workers of a cluster carry out what is computed within, with the same bits.

    >>> with on_cluster(client):  # doctest: +SKIP
    ...     found = ks.posterior("spines", free="spines")

    Batches of runs (of posteriors, judgements, checks under draws, sweeps in memory) are cut into
    parts and sent; small ones, gradients and the arithmetic between them stay here. For a sweep
    into a store give ``client=`` to :func:`ketasim.sweep`, whose workers write themselves.

    Parameters
    ----------
    client
        A ``distributed.Client`` whose workers are other processes.
    """

    def carry(parts: list[tuple[Batch, Asked, Settings]]) -> list[tuple[Attempt, Array]]:
        sent = [client.submit(attempts, *one, pure=False) for one in parts]
        present.until_ended(sent)
        found: list[tuple[Attempt, Array]] = client.gather(sent)
        return found

    present = Present(client)
    present.await_one()
    with (
        answering(client, "Give the same command again where one does."),
        carried_by(carry, parts=max(1, EACH * sum(client.ncores().values()))),
    ):
        yield
