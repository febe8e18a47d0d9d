"""Whether a conclusion flips with the seed, and how long a judgement takes.

``python benchmarks/judge.py --seeds 20`` judges the rivals from 20 seeds (``--full`` for the full
effort; else the quick one) and compares every conclusion that is printed: which hypothesis stands,
which is clearly behind, and which would be first without one paper. Two seeds contradict each other
where one says what another denies; where one is silent and the other is not, that is counted apart.
Seeds that give no result are counted, not left out. ``--every 3`` judges by every third finding:
a smaller question for a busy machine. ``-o FILE`` keeps what each seed said.
"""

import argparse
import json
import os
import time
from collections import Counter
from itertools import combinations
from pathlib import Path

import ketasim as ks


def conclusions(judgement):
    """Return what a judgement prints as settled, as (kind, about, what)."""
    if judgement.missing:
        return {}
    names, first = judgement.names, judgement.names[judgement.ranking[0]]
    said = {}
    if judgement.chosen:
        said["stands"] = first
    for i in judgement.ranking[1:]:
        if i not in judgement.contenders:
            said[" and ".join(sorted((first, names[i])))] = first
    for paper, k, sure in judgement.pivotal:
        if sure:
            said[f"first without {paper}"] = names[k]
    return said


def judged(seed, *, quick, names, store, every):
    began, cpu = time.perf_counter(), time.process_time()
    findings = ks.list_experiments()[::every]
    found = ks.judge(names or None, findings, seed=seed, quick=quick, store=store)
    return {
        "seed": seed,
        "findings": len(found.findings),
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "load": round(os.getloadavg()[0], 1),
        "verdict": found.verdict,
        "missing": list(found.missing),
        "said": conclusions(found),
        "certainty": list(found.certainty),
        "evidence": {s.name: [round(s.evidence, 2), round(s.found.spread, 2),
                              round(s.effective_draws)] for s in found.scores},
    }  # fmt: skip


def compared(rows):
    """Return contradictions between seeds, and how many seeds say each conclusion."""
    told = [row for row in rows if not row["missing"]]
    against = [
        (a["seed"], b["seed"], about, a["said"][about], b["said"][about])
        for a, b in combinations(told, 2)
        for about in a["said"]
        if about in b["said"] and a["said"][about] != b["said"][about]
    ]
    counts = Counter((about, what) for row in told for about, what in row["said"].items())
    return {
        "seeds": len(rows),
        "results": len(told),
        "contradictions": against,
        "said": [[about, what, n] for (about, what), n in counts.most_common()],
        "verdicts": Counter(row["verdict"] for row in told),
    }


def main():
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("hypotheses", nargs="*")
    ask.add_argument("--seeds", type=int, default=20)
    ask.add_argument("--first", type=int, default=1)
    ask.add_argument("--full", action="store_true")
    ask.add_argument("--every", type=int, default=1)
    ask.add_argument("--store")
    ask.add_argument("-o", "--out", type=Path)
    given = ask.parse_args()
    rows = []
    for seed in range(given.first, given.first + given.seeds):
        one = judged(seed, quick=not given.full, names=given.hypotheses, store=given.store,
                     every=given.every)  # fmt: skip
        rows.append(one)
        print(f"{one['seed']}: {one['seconds']} s ({one['cpu_seconds']} s of processor, load "
              f"{one['load']}): {one['verdict']}", flush=True)  # fmt: skip
        if given.out:
            found = {"compared": compared(rows), "seeds": rows}
            given.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(compared(rows), indent=1))


if __name__ == "__main__":
    main()
