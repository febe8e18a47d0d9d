"""What ``attack.py`` throws at the package: each battery tries ``n`` things and tells what it saw.

A battery yields words, one for each thing tried: ``found``, ``harmless``, ``kept``, ``same``,
``refused``, ``read`` are what should be; anything that begins with ``FAULT`` is not.
"""

import contextlib
import io
import logging
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = [str(ROOT / one) for one in ("src", "tests", "tests/unit", "scripts")]
sys.path[:0] = [one for one in SOURCE if one not in sys.path]
ENV = {**os.environ, "PYTHONPATH": os.pathsep.join(SOURCE)}
SLOW, LARGE = 10.0, 1_000_000_000  # a mutated input may take so long [s], and so many bytes
WORKER = "import sys, batteries; batteries.fill(sys.argv[1])"
MEMBERS, CHUNK = 120, 2
MANY = 480  # that 200 kills leave some to do


def scenario() -> object:
    import toy
    from ketasim.core.protocol import dose
    from ketasim.core.scenario import Scenario, Subject, hours

    drug = dose("1 mg/kg", route="iv", drug="drug", over="30 min")
    return Scenario(toy.model(), drug, hours(0, 6, every=1.0), Subject("human", 70.0))


def fill(
    path: str, *, client: object = None, seed: int = 5, chunk: int = CHUNK, members: int = MEMBERS
) -> None:
    """Fill a store of small chunks, with one thread or on a cluster."""
    from ketasim.studies import designs
    from ketasim.studies.sweep import sweep

    asked = scenario()
    sweep(
        asked, designs.sobol(asked.model, members, seed=seed), store=Path(path), chunk=chunk,
        engine="reference", threads=1, client=client, summaries=["body.plasma.peak"],
        record=["receptor.bound"],
    )  # fmt: skip


def held(path: Path) -> dict[str, bytes]:
    """Return the files of a result, without what processes tell one another in it."""
    return {
        one.relative_to(path).as_posix(): one.read_bytes()
        for one in sorted(path.rglob("*"))
        if one.is_file() and not {"claims", "quarantine"} & set(one.relative_to(path).parts)
    }


def started(*words: str, **options: object) -> subprocess.Popen:
    silent = subprocess.DEVNULL
    return subprocess.Popen([*words], env=ENV, stdout=silent, stderr=silent, **options)


def flipped(data: bytes, chance: random.Random) -> bytes:
    harmed = bytearray(data)
    harmed[chance.randrange(len(harmed))] ^= 1 << chance.randrange(8)
    return bytes(harmed)


def flips_in_kernels(n: int, chance: random.Random, place: Path) -> Iterator[str]:
    """One bit of one file of a kept kernel; the kernel that is then loaded must be right."""
    from ketasim.compile import cache, kernel
    from ketasim.compile.interface import FORWARD
    from ketasim.compile.machine import written

    os.environ["KETASIM_CACHE_DIR"] = str(place / "kernels")
    text = written({}, {}, {}, FORWARD, "def run(job):\n    return 325\n")
    name = kernel.module_of(text)
    cache.load(name, text)
    files = {one: one.read_bytes() for one in cache.entry(name).path.iterdir()}
    for _ in range(n):
        victim = chance.choice(list(files))
        victim.write_bytes(flipped(files[victim], chance))
        yield "FAULT: read as sound" if cache.entry(name).read()[0] else "found"
        victim.write_bytes(files[victim])
    del os.environ["KETASIM_CACHE_DIR"]


def flips_in_a_store(n: int, chance: random.Random, place: Path) -> Iterator[str]:
    """One bit of one file of a store, of each kind in turn: results, design, axes, manifest."""
    from ketasim.results.problems import StoreError
    from ketasim.results.store import Store

    path = place / "flips.zarr"
    fill(str(path), chunk=30)
    files = {one: one.read_bytes() for one in path.rglob("*") if one.is_file()}
    kinds: dict[str, list[Path]] = {}
    for one in files:
        kinds.setdefault(_kind(Store(path), one.relative_to(path)), []).append(one)
    for i in range(n):
        kind = sorted(kinds)[i % len(kinds)]
        victim = chance.choice(kinds[kind])
        victim.write_bytes(flipped(files[victim], chance))
        try:
            found = bool(list(Store(path).damaged()))
        except StoreError:
            found = True
        yield f"found in {kind}" if found else f"FAULT: read as sound: {victim.name} of {kind}"
        victim.write_bytes(files[victim])


def _kind(store: object, file: Path) -> str:
    """Say what a file of a store is."""
    if file.parts[0] == "ketasim" or file.name == "zarr.json":
        return "manifests"
    if file.parts[0] in ("member", "time"):
        return "axes"
    return "design" if file.parts[0] in store.manifest.names else "results"


def swaps(n: int, chance: random.Random, place: Path) -> Iterator[str]:
    """A chunk copied to another place, array or store, or exchanged with what is there."""
    from ketasim.results.store import Store

    stores = [place / "one.zarr", place / "other.zarr"]
    for i, path in enumerate(stores):
        fill(str(path), seed=i)
    own, other = (
        [store.file(name, k) for name in store.names for k in range(store.manifest.chunks)]
        for store in map(Store, stores)
    )
    files = {one: one.read_bytes() for one in (*own, *other)}
    for _ in range(n):
        to, of = chance.choice(own), chance.choice([*own, *other])
        if files[to] == files[of]:
            yield "harmless"
            continue
        to.write_bytes(files[of])
        if chance.random() < 0.5:
            of.write_bytes(files[to])
        yield "found" if list(Store(stores[0]).damaged()) else "FAULT: read as sound"
        for one in (to, of):
            one.write_bytes(files[one])


def kills(n: int, chance: random.Random, place: Path) -> Iterator[str]:
    """Kill -9 of plain processes and of workers of a cluster, all of them on one store.

    Only who is alive is killed and counted. Processes begin as forks of one that has imported
    everything, so that a kill meets work and not an import.
    """
    from distributed import Client, LocalCluster

    from ketasim.results.store import Store

    fill(str(place / "plain.zarr"), members=MANY)
    wanted, path = held(place / "plain.zarr"), place / "killed.zarr"
    logging.getLogger("distributed.scheduler").setLevel(logging.CRITICAL + 1)  # of who was killed
    tried = 0
    with (
        Nursery() as nursery,
        LocalCluster(n_workers=4, threads_per_worker=1, dashboard_address=None, silence_logs=50,
                     env=ENV) as local,
        Client(local) as client,
    ):  # fmt: skip
        while tried < n:
            shutil.rmtree(path, ignore_errors=True)
            done = 0
            while done < MANY // CHUNK and tried < n:
                plain = [nursery.born(str(path)) for _ in range(2)]
                spread = nursery.born(str(path), client.scheduler.address)
                time.sleep(chance.uniform(0.05, 2.0))
                workers = list(client.run(os.getpid, on_error="ignore").values())
                for one in [*plain, *chance.sample(workers, len(workers) > 1)]:
                    if ended(one, signal.SIGKILL):
                        tried += 1
                        yield "killed"
                ended(spread, signal.SIGTERM)
                done = len(Store(path).done()) if path.exists() else 0
            fill(str(path), members=MANY)
            found = held(path)
            other = sorted(one for one in {*wanted, *found} if found.get(one) != wanted.get(one))
            same = f"same, {done} of {MANY // CHUNK} chunks by those who were killed"
            yield f"FAULT: other bytes in {other[:8]}" if other else same


class Nursery:
    """A process that has imported what a sweep needs, and of which sweeps are forked."""

    def __enter__(self) -> "Nursery":
        self.process = subprocess.Popen(
            [sys.executable, "-c", "import batteries; batteries.nursery()"], env=ENV, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return self

    def born(self, *words: str) -> int:
        """Begin to fill a store, alone or on a scheduler's cluster; return the process number."""
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.wait()


def nursery() -> None:
    """Fork a process for every line read, which fills the store it names."""
    import distributed

    from ketasim.studies.sweep import sweep  # noqa: F401

    scenario()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for who was killed
    for line in iter(sys.stdin.readline, ""):
        number = os.fork()
        if number:
            print(number, flush=True)
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        path, *address = line.split()
        with distributed.Client(*address) if address else contextlib.nullcontext() as client:
            fill(path, client=client, members=MANY)
        os._exit(0)


def lives(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def ended(number: int, how: int) -> bool:
    """Send a process a signal that ends it, and wait; False where it had ended before."""
    try:
        os.kill(number, how)
    except ProcessLookupError:
        return False
    while lives(number):
        time.sleep(0.01)
    return True


def spread(n: int, _: random.Random, place: Path) -> Iterator[str]:
    """A sweep of ``n`` members on one and two workers of one thread, beside the same one here.

    What it costs more is told in processor time of client, scheduler and workers together, since a
    wall clock tells of other work on the machine too; on a free one it is less, as they overlap.
    """
    import psutil
    from distributed import Client, LocalCluster

    import ketasim

    def swept(path: Path, members: int, client: object = None) -> float:
        began = time.process_time()
        ketasim.sweep(
            "human_healthy_iv", f"sobol:{members}", sets=["output.until=24 h"], store=path,
            summaries="spines.peak", threads=1, client=client, tell=lambda _: None,
        )  # fmt: skip
        return time.process_time() - began

    def used(pids: list[int]) -> float:
        return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids)

    swept(place / "first.zarr", 4096)  # compiles what is not at hand
    alone, wanted = swept(place / "alone.zarr", n), held(place / "alone.zarr")
    for workers in (1, 2):
        with (
            LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None,
                         silence_logs=50, env=ENV) as local,
            Client(local) as client,
        ):  # fmt: skip
            swept(place / f"first{workers}.zarr", 4096, client)  # whoever works has imported
            pids = list(client.run(os.getpid).values())
            before, path = used(pids), place / f"spread{workers}.zarr"
            whole = swept(path, n, client) + used(pids) - before
        more = 100.0 * (whole / alone - 1.0)
        told = f"same bits with {workers}, {more:+.1f} % of processor time"
        yield told if held(path) == wanted else f"FAULT: other bits with {workers}"


def containers(n: int, _: random.Random, place: Path) -> Iterator[str]:
    """Two or four spaces of process numbers with one host name, begun at once on a new store."""
    inside = ["unshare", "-pf", "--mount-proc"]
    if shutil.which("unshare") is None or subprocess.run([*inside, "true"]).returncode:
        yield "not permitted here"
        return
    fill(str(place / "alone.zarr"))
    wanted = held(place / "alone.zarr")
    for i in range(n):
        path = place / f"shared{i}.zarr"
        many = [
            started(*inside, sys.executable, "-c", WORKER, str(path))
            for _ in range(2 + 2 * (i % 2))
        ]
        codes = {one.wait() for one in many}
        yield "same" if codes == {0} and held(path) == wanted else f"FAULT: ended with {codes}"


def stops(n: int, chance: random.Random, place: Path) -> Iterator[str]:
    """SIGTERM at a random moment of a typed sweep, which then is typed again."""
    words = ["sweep", "human_healthy_iv", "--sample", "sobol:64", "--vary", "nmda", "--chunk", "4",
             "--threads", "1", "--summary", "spines.peak", "--set", "output.until=6 h",
             "-o"]  # fmt: skip

    def begun(path: Path) -> subprocess.Popen:
        typed = [*words, str(path)]
        return started(sys.executable, "-c", f"from ketasim.cli import main; main({typed!r})")

    begun(place / "first.zarr").wait()  # compiles what is not at hand
    began = time.monotonic()
    begun(place / "alone.zarr").wait()
    took, wanted = time.monotonic() - began, held(place / "alone.zarr")
    for i in range(n):
        path = place / f"stopped{i}.zarr"
        process = begun(path)
        time.sleep(took * chance.uniform(0.2, 1.1))
        process.send_signal(signal.SIGTERM)
        first, begun_then = process.wait(), path.exists()
        second = begun(path).wait()
        fine = first in (0, 130, -signal.SIGTERM) and second == 0 and held(path) == wanted
        when = "before its end" if first else "at its end"
        where = when if begun_then else "before its store"
        yield f"same, stopped {where}" if fine else f"FAULT: ended with {first}, then {second}"
        shutil.rmtree(path)


def fits(n: int, chance: random.Random, place: Path) -> Iterator[str]:
    """SIGTERM at a random moment of a fit with more starts in an older one's folder; typed again.

    The older answer must be there whole, or the new one; typed again, the same numbers come.
    """
    words = ["fit", "plasma", "--free", "pk_s.clearance_70", "--free", "disposition.q_fast_70"]

    def begun(path: Path, starts: int) -> subprocess.Popen:
        typed = [*words, "--starts", str(starts), "-o", str(path)]
        return started(sys.executable, "-c", f"from ketasim.cli import main; main({typed!r})")

    def answer(path: Path) -> dict[str, bytes]:
        return {name: data for name, data in held(path).items() if not name.endswith(".jsonl")}

    begun(place / "old", 2).wait()
    began = time.monotonic()
    begun(place / "new", 4).wait()
    took, path = time.monotonic() - began, place / "stopped"
    old, new = answer(place / "old"), answer(place / "new")
    if not {name for name in new if new[name] != old.get(name)} >= {"fit.json", "starts.png"}:
        yield "FAULT: more starts change nothing, so nothing can be seen"
    for _ in range(n):
        shutil.copytree(place / "old", path)
        process = begun(path, 4)
        time.sleep(took * chance.uniform(0.1, 1.1))
        process.send_signal(signal.SIGTERM)
        first, then = process.wait(), answer(path)
        second = begun(path, 4).wait()
        fine = then in (old, new) and first in (0, 130, -signal.SIGTERM) and second == 0
        fine = fine and answer(path) == new
        wrong = sorted(name for name in {*then, *old} if then.get(name) != old.get(name))
        yield (
            f"{'kept' if then == old else 'new and whole'}, then the same numbers"
            if fine
            else f"FAULT: ended with {first}, then {second}; changed: {wrong}"
        )
        shutil.rmtree(path)


def signals(n: int, chance: random.Random, place: Path) -> Iterator[str]:
    """SIGTERM at a random moment of a run, an export or a sweep that replaces an older one."""
    yield from _outputs(n, chance, place, lambda: "")


def full_disks(n: int, chance: random.Random, place: Path) -> Iterator[str]:
    """Files that may grow to a random size only, for a run and an export over older ones."""

    def limit() -> str:
        most = int(10 ** chance.uniform(2.0, 6.5))
        return (
            "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
            f"resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))\n"
        )

    yield from _outputs(n, chance, place, limit)


def _outputs(n: int, chance: random.Random, place: Path, before: object) -> Iterator[str]:
    out = place / "out"
    lines = {
        "run": ["run", "human_healthy_iv", "-o", str(out), "--set", "output.until={} h"],
        "export": ["export", "sbml", "human_healthy_iv", "-o", str(out / "model.xml"), "--set",
                   "output.until={} h"],
    }  # fmt: skip

    def begun(words: list[str], until: int, first: str = "") -> subprocess.Popen:
        typed = [one.format(until) for one in words]
        code = f"{first}from ketasim.cli import main; main({typed!r})"
        return started(sys.executable, "-c", code)

    for words in lines.values():
        begun(words, 6).wait()
    began = time.monotonic()
    begun(lines["run"], 6).wait()
    took, good = time.monotonic() - began, held(out)
    for i in range(n):
        words, first = chance.choice(list(lines.values())), before()
        process = begun(words, 7 + i % 5, first)
        if not first:
            time.sleep(took * chance.uniform(0.1, 1.1))
            process.send_signal(signal.SIGTERM)
        code = process.wait()
        changed = [name for name, data in good.items() if held(out).get(name) != data]
        mine = {"model.xml"} if words is lines["export"] else set(good) - {"model.xml"}
        stable = {"summary.csv", "timecourse.csv", "result.nc", "scenario.toml", "provenance.json"}
        whole = not changed or set(changed) == {"model.xml"} or stable & set(changed) >= {
            "result.nc", "timecourse.csv", "scenario.toml", "provenance.json"
        }  # fmt: skip
        fine = whole and set(changed) <= mine and code in (0, 4, 130, -signal.SIGTERM)
        yield ("kept" if not changed else "new and whole") if fine else f"FAULT: {code}, {changed}"
        for name, data in good.items():
            (out / name).write_bytes(data)


def mutated(text: bytes, chance: random.Random) -> bytes:
    """Return a text with a few bytes changed, cut, doubled or put in."""
    data = bytearray(text)
    for _ in range(chance.randint(1, 6)):
        at, kind = chance.randrange(len(data) + 1), chance.randrange(5)
        if kind == 0 and at < len(data):
            data[at] = chance.randrange(256)
        elif kind == 1:
            del data[at : at + chance.randint(1, 20)]
        elif kind == 2:
            data[at:at] = data[at : at + chance.randint(1, 60)]
        elif kind == 3:
            data[at:at] = chance.choice(ODD)
        else:
            data[at:at] = bytes([chance.randrange(256)])
    return bytes(data) or b"\0"


ODD = (
    b"nan", b"1e999", b"-1", b"[[", b"\xff\xfe", b'"""', b"\r\n", b"= ", b"\0", b"9" * 400, b"1 kg",
    b"../", b"${x}", b"(" * 80, b"\xc2\xb5M", b"inf h", b";", b"e" * 3000, b"{a=1}", b"@1h",
)  # fmt: skip


def mutants_of_files(n: int, chance: random.Random, place: Path) -> Iterator[str]:
    """Configurations, findings and data with changed bytes."""
    from ketasim.config import load
    from ketasim.config.findings import load_data, load_findings

    reads = {
        ".toml": (sorted((ROOT / "configs").glob("*.toml")), load),
        ".finding.toml": (sorted((ROOT / "configs" / "experiments").glob("*.toml")),
                          lambda path: load_findings([path], packaged=False)),
        ".csv": (sorted((ROOT / "configs" / "data").glob("*.csv")), load_data),
    }  # fmt: skip
    for i in range(n):
        files, read = reads[chance.choice(list(reads))]
        file = chance.choice(files)
        path = place / f"mutant{i}{file.suffix}"
        path.write_bytes(mutated(file.read_bytes(), chance))
        yield _tried(lambda read=read, path=path: read(path), path)
        path.unlink()


def mutants_of_lines(n: int, chance: random.Random, place: Path) -> Iterator[str]:
    """Option strings with changed characters; refused, or read as far as integration."""
    from ketasim.cli.main import main

    lines = (
        ["sweep", "human_healthy_iv", "--vary", "dosing[0].amount = logspace(0.05, 5, 41) mg/kg"],
        ["sweep", "human_healthy_iv", "--sample", "sobol:4096", "--vary", "nmda, uncertain"],
        ["sweep", "human_healthy_iv", "--sample", "lhs:64", "--memory", "2 GB"],
        ["sweep", "human_healthy_iv", "--vary", "nmda.k_s=linspace(0.1, 1, 5) uM", "--summary",
         "fold = spines@24h / spines@0h, glutamate.auc(0h,4h)"],
        ["sweep", "human_healthy_iv", "--sample", "sobol:8", "--dask", "local:2", "--shard", "0/3"],
        ["submit", "--slurm", "3", "--time", "1:00:00", "-o", str(place / "x.sh"), "sweep", "x"],
        ["list", "parameters", "--of", "nmda"],
        ["describe", "spines"],
    )  # fmt: skip
    for _ in range(n):
        words = list(chance.choice(lines))
        at = chance.randrange(1, len(words))
        words[at] = mutated(words[at].encode(), chance).decode("utf-8", "replace")
        if words[0] == "sweep":
            words += ["--resume", "-o", str(place / "none.zarr")]  # stops where it would integrate
        words = [word.replace("\0", "") for word in words]  # no command line can hold it

        def typed(words: list[str] = words) -> None:
            said = io.StringIO()
            # What a changed word names is written beside the others, wherever one is.
            with redirect_stdout(said), redirect_stderr(said), contextlib.chdir(place):
                try:
                    main(words)
                except SystemExit as left:
                    if left.code == 1:
                        raise RuntimeError(said.getvalue()[-300:]) from left.__context__
                    raise

        yield _tried(typed, words)


def _tried(what: object, shown: object) -> str:
    """Say how reading something ended; anything but success and a sentence is a fault."""
    from ketasim.errors import KetasimError

    began = time.monotonic()
    try:
        what()
        word = "read"
    except KetasimError:
        word = "refused"
    except SystemExit as left:
        word = "refused" if left.code else "read"
    except Exception as error:
        return f"FAULT: {type(error).__name__}: {str(error)[:300]} ({str(shown)[:300]})"
    if time.monotonic() - began > SLOW:
        return f"FAULT: took {time.monotonic() - began:.0f} s ({str(shown)[:300]})"
    if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 > LARGE:
        return f"FAULT: over 1 GB ({str(shown)[:300]})"
    return word


def in_a_folder(battery: object, n: int, seed: int) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as place:
        yield from battery(n, random.Random(seed), Path(place))
