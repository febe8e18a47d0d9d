"""Many machines: a client of Dask for ``--dask``, and ``ketasim submit --slurm``."""

import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import click

_ADDRESS = re.compile(r"(?:[a-z]{2,8}://)?[\w.\[\]:-]+:\d{1,5}")
NOTICE = 120  # seconds before the end of a job at which its chunks in hand are finished


@contextmanager
def client_of(where: str | None) -> Iterator[Any]:
    """Yield a client of the cluster at an address, or of one made here; None for no cluster.

    Raises
    ------
    ConfigError
        When the text is neither, or nothing answers there.
    MissingExtra
        When Dask is not installed.
    """
    from ketasim.errors import ConfigError, MissingExtra

    if where is None:
        yield None
        return
    local = re.fullmatch(r"local:([1-9]\d{0,3})", where)
    address = not where.startswith("local:") and _ADDRESS.fullmatch(where)
    if local is None and not address:
        raise ConfigError(
            f"--dask {where[:60]}: write the address of a scheduler, e.g. tcp://10.0.0.5:8786, or "
            "local:4 for four workers on this machine."
        )
    try:
        import distributed
    except ImportError:
        raise MissingExtra('--dask needs Dask: python -m pip install "ketasim[cluster]".') from None
    dask: Any = distributed  # which says nothing of its types
    if local is not None:
        with (
            dask.LocalCluster(
                n_workers=int(local[1]), threads_per_worker=1, dashboard_address=None,
                silence_logs=50,
            ) as cluster,
            dask.Client(cluster) as client,
        ):  # fmt: skip
            yield client
        return
    try:
        client = dask.Client(where, timeout="20s")
    except (OSError, ValueError) as error:
        told = str(error).partition(chr(10))[0][:200]
        raise ConfigError(f"--dask {where}: no scheduler answers there ({told}).") from None
    with client:
        yield client


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command ``--dask``: what takes many runs goes to workers, with the same bits."""

    @click.option("--dask", help="On a cluster: a scheduler's ADDRESS, or local:N workers here.")
    @wraps(command)
    def spreading(*args: Any, dask: str | None, **options: Any) -> None:
        if dask is None:
            command(*args, **options)
            return
        from ketasim.verbs.cluster import on_cluster

        with client_of(dask) as client, on_cluster(client):
            command(*args, **options)

    return spreading


@click.command(
    short_help="Write a batch script that spreads a sweep.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option("--slurm", type=click.IntRange(1, 100_000), required=True, help="Jobs in the array.")
@click.option("--cpus", type=click.IntRange(1), default=1, show_default=True, help="Cores a job.")
@click.option("--time", "limit", default="4:00:00", show_default=True, help="Of a job, H:MM:SS.")
@click.option("--memory", default="2G", show_default=True, help="Of a job, as SLURM writes it.")
@click.option("--partition", help="Where the site wants it.")
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("sweep.sh"))
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED)
def submit(
    slurm: int,
    cpus: int,
    limit: str,
    memory: str,
    partition: str | None,
    out: Path,
    words: tuple[str, ...],
) -> None:
    """Write an array of batch jobs that share a store: submit --slurm 100 sweep CONFIG ...

    Give the words of the sweep last. Every job computes its own chunks and needs no other; the same
    script again goes on with what is lacking.
    """
    from ketasim.results.output import file_at

    _check(words, limit, memory, partition)
    text = script(words, jobs=slurm, cpus=cpus, limit=limit, memory=memory, partition=partition)
    with file_at(out) as place:
        place.write_text(text, encoding="utf-8")
    click.echo(f"{out}: {slurm} jobs of {cpus} cores. Type: sbatch {shlex.quote(str(out))}")


def script(
    words: tuple[str, ...],
    *,
    jobs: int,
    cpus: int,
    limit: str,
    memory: str,
    partition: str | None,
) -> str:
    """Return the text of a SLURM script whose jobs are the shards of a sweep."""
    asked = ["#!/bin/bash", "#SBATCH --job-name=ketasim", f"#SBATCH --array=0-{jobs - 1}"]
    asked += [f"#SBATCH --cpus-per-task={cpus}", f"#SBATCH --time={limit}"]
    asked += [f"#SBATCH --mem={memory}", f"#SBATCH --signal=B:USR1@{NOTICE}"]
    asked += ["#SBATCH --output=ketasim-%A-%a.log"]
    asked += [f"#SBATCH --partition={partition}"] if partition else []
    own = f'--threads "$SLURM_CPUS_PER_TASK" --shard "$SLURM_ARRAY_TASK_ID/{jobs}"'
    return "\n".join([*asked, "set -euo pipefail", f"exec ketasim {shlex.join(words)} {own}", ""])


def _check(words: tuple[str, ...], limit: str, memory: str, partition: str | None) -> None:
    """Refuse now what every job would refuse."""
    from ketasim.cli.sweep import command
    from ketasim.errors import ConfigError

    if words[0] != "sweep":
        raise ConfigError(f'submit: "{words[0][:40]}": write sweep CONFIG and its options last.')
    for taken in ("--shard", "--threads", "--dask"):
        if any(one == taken or one.startswith(f"{taken}=") for one in words):
            raise ConfigError(f"submit: leave {taken} out; the script gives it to every job.")
    shapes = {"--time": (limit, r"(\d+-)?\d{1,3}(:\d\d){0,2}"), "--memory": (memory, r"\d+[KMGT]?")}
    for name, (text, shape) in shapes.items():
        if not re.fullmatch(shape, text):
            raise ConfigError(f"{name} {text[:40]}: not as SLURM writes it, e.g. 4:00:00 and 2G.")
    if partition is not None and not re.fullmatch(r"[\w,.-]+", partition):
        raise ConfigError(f"--partition {partition[:40]}: not a name.")
    command.make_context("ketasim sweep", list(words[1:]))
