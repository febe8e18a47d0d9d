"""Attack the package, and write what came of it to docs/reliability.md.

    python scripts/attack.py                  # every battery with the counts below: hours
    python scripts/attack.py --share 0.1      # a tenth of each
    python scripts/attack.py --only kills swaps --share 0.05 --print

Give it a machine that nobody else needs. A battery that finds a fault shows it, and the exit status
is 1; what is found is first put into a test.
"""

import argparse
import math
import platform
import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import batteries

import ketasim

PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"
MARK = "<!-- written by scripts/attack.py; what is above it is by hand -->"


@dataclass(frozen=True)
class Battery:
    """What is tried, how often in a whole attack, and what is right."""

    name: str
    run: object
    whole: int
    tried: str
    right: str


BATTERIES = (
    Battery("kernel-flips", batteries.flips_in_kernels, 1000,
            "one bit flipped in a kept kernel (code, index, text, seal)", "every one found"),
    Battery("store-flips", batteries.flips_in_a_store, 4000,
            "one bit flipped in a store (results, design, axes, manifest)", "every one found"),
    Battery("swaps", batteries.swaps, 200,
            "chunks copied or exchanged between places, arrays and stores", "every one found"),
    Battery("kills", batteries.kills, 200,
            "kill -9 of plain processes and Dask workers on one store", "final bytes the same"),
    Battery("containers", batteries.containers, 20,
            "2 or 4 process name spaces with one host name on one new store", "bytes the same"),
    Battery("spread", batteries.spread, 100_000,
            "a sweep of so many members on Dask workers of one thread",
            "bits the same, under 10 % more time"),
    Battery("signals", batteries.signals, 50,
            "SIGTERM during a run or export over older ones", "old kept, or new one whole"),
    Battery("stops", batteries.stops, 50,
            "SIGTERM during a sweep, which is typed again", "final bytes the same"),
    Battery("fits", batteries.fits, 50,
            "SIGTERM during a fit in an older one's folder, which is typed again",
            "old kept, or new one whole; then the same numbers"),
    Battery("disks", batteries.full_disks, 50,
            "files that may not grow, during a run or export", "old kept, or new one whole"),
    Battery("files", batteries.mutants_of_files, 10_000,
            "mutated configurations, findings, data", "no fault, 10 s and 1 GB at most"),
    Battery("lines", batteries.mutants_of_lines, 10_000,
            "mutated option strings", "no fault, 10 s and 1 GB at most"),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=[one.name for one in BATTERIES])
    parser.add_argument("--share", type=float, default=1.0, help="of the counts")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--print", action="store_true", help="do not write the page")
    asked = parser.parse_args()
    chosen = [one for one in BATTERIES if not asked.only or one.name in asked.only]
    rows, faults = [], []
    for one in chosen:
        began, seen = time.monotonic(), Counter()
        for word in batteries.in_a_folder(one.run, math.ceil(one.whole * asked.share), asked.seed):
            seen["FAULT" if word.startswith("FAULT") else word] += 1
            if word.startswith("FAULT"):
                faults.append(f"{one.name}: {word}")
                print(faults[-1], file=sys.stderr, flush=True)
        told = ", ".join(f"{count:,} {word}" for word, count in seen.most_common())
        seconds = time.monotonic() - began
        rows.append(f"| {one.name} | {one.tried} | {one.right} | {told} | {seconds:,.0f} s |")
        print(rows[-1], flush=True)
    if not asked.print:
        write(rows, asked.seed)
    sys.exit(bool(faults))


def write(rows: list[str], seed: int) -> None:
    """Put the rows under the mark; those of batteries that were not run this time stay."""
    above, _, below = PAGE.read_text(encoding="utf-8").partition(MARK)
    below, mark, others = below.partition("<!-- written by scripts/mutants.py -->")
    kept = {line.split("|")[1].strip(): line for line in below.splitlines() if line.count("|") > 5}
    kept |= {row.split("|")[1].strip(): row for row in rows}
    lines = [kept[one.name] for one in BATTERIES if one.name in kept]
    about = (
        f"ketasim {ketasim.__version__}, Python {platform.python_version()}, seed {seed}, "
        f"{datetime.now(UTC).date().isoformat()}. What was tried says how often."
    )
    head = ["| battery | tried | right would be | seen | took |", "|---|---|---|---|--:|"]
    text = "\n".join([above + MARK, "", about, "", *head, *lines, "", mark + others])
    PAGE.write_text(text.rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
