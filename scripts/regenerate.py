"""Everything in the repository that is generated, one line each: what writes it, and from what.

    python scripts/regenerate.py               # write what is out of date
    python scripts/regenerate.py card golden   # write these
    python scripts/regenerate.py --check       # exit 1 naming what is out of date
    python scripts/regenerate.py --list        # show the table
    python scripts/regenerate.py --record card # keep what is there: it was looked at and is current

docs/generated.toml holds, for each artefact, the digest of the model it was written from, of its
inputs, and of what was written. One manifest serves every format alike: a PNG, an SVG and a JSON
whose readers want no other key need not carry anything, and checking reads one file.
"""

import argparse
import hashlib
import os
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

try:
    from ketasim.models.antidepressant import antidepressant
    from ketasim.models.rivals import RIVALS
except ModuleNotFoundError as missing:
    print(
        f"scripts/regenerate.py: this Python has no {missing.name}, which what is generated is "
        'written with. Type: python -m pip install -e ".[dev]"',
        file=sys.stderr,
    )
    sys.exit(2)

ROOT = Path(__file__).parents[1]
MANIFEST = "docs/generated.toml"
TEXT = {
    ".py",
    ".toml",
    ".md",
    ".json",
    ".svg",
    ".ipynb",
}  # whose line endings a checkout may change
RECORD = ("configs/experiments/*.toml", "configs/candidates/*.toml", "configs/checks/*.toml",
          "configs/reference_effects/*.toml", "src/ketasim/models/rivals.py",
          "src/ketasim/studies/findings/*.py", "src/ketasim/studies/judge/*.py")  # fmt: skip
PAGES = tuple(sorted(one.stem for one in (ROOT / "docs" / "tutorials").glob("*.md")))
PLOTS = "src/ketasim/plots/*.py"
KNOWN = (
    "src/ketasim/studies/published.py",
    "configs/data/*.csv",
    "configs/data/*.toml",
    "configs/setting_*.toml",
    "configs/checks/*.toml",
)  # what is known of the model
ASKED = ("scripts/asked.py", "scripts/descent.py")


@dataclass(frozen=True)
class Artefact:
    """What one command writes, and the files besides the model that decide what it will be."""

    name: str
    command: str
    outputs: tuple[str, ...]
    inputs: tuple[str, ...]
    minutes: float
    of_model: bool = True
    only_named: bool = False


ARTEFACTS = (
    Artefact("sheet", "-m ketasim describe --all -o docs/sheets/antidepressant.md",
             ("docs/sheets/antidepressant.md", "docs/sheets/antidepressant.svg"),
             ("src/ketasim/export/*.py",), 0.1),
    Artefact("golden", "tests/golden/make.py", ("tests/golden/default.json",),
             ("tests/golden/make.py",), 0.1, only_named=True),
    Artefact("calibration",
             "scripts/calibrate.py --out docs/calibration.json",
             ("docs/calibration.json",), ("scripts/calibrate.py", *ASKED, *KNOWN), 15.0),
    Artefact("rivals", "scripts/rivals.py",
             tuple(f"configs/rivals/{one.name}.toml" for one in RIVALS),
             ("scripts/rivals.py", "src/ketasim/models/rivals.py", *ASKED, *KNOWN), 20.0),
    Artefact("card", "scripts/model_card.py", ("docs/model-card.md", "docs/figures/model-card.png"),
             ("scripts/model_card.py", "scripts/card_figure.py", "scripts/card_modules.py",
              "docs/calibration.json", "configs/checks/*.toml", "configs/rivals/*.toml",
              "configs/modules/*/*.toml", "src/ketasim/mechanisms/*.py",
              "src/ketasim/models/modules.py", "src/ketasim/models/systems.py",
              "src/ketasim/models/rivals.py",
              "src/ketasim/studies/findings/*.py", "src/ketasim/plots/evidence.py"), 1.0),
    Artefact("coverage", "scripts/coverage_page.py", ("docs/coverage.md",),
             ("scripts/coverage_page.py", "docs/coverage.csv"), 0.1, of_model=False),
    Artefact("notebooks", "scripts/notebooks.py",
             tuple(f"docs/notebooks/{page}.ipynb" for page in PAGES),
             ("scripts/notebooks.py", "docs/tutorials/*.md"), 0.1, of_model=False),
    Artefact("negative", "scripts/negative_results.py", ("docs/negative-results.md",),
             ("scripts/negative_results.py", *RECORD), 1.0),
    Artefact("judge-example", "scripts/judge_example.py", ("docs/figures/judge_example.png",),
             ("scripts/judge_example.py", *RECORD, PLOTS), 1.0),
    Artefact("sensitivity", "scripts/sensitivity_example.py",
             ("docs/figures/sensitivity_tornado.png", "docs/figures/sensitivity_heatmap.png",
              "docs/figures/sensitivity_shapley.png"),
             ("scripts/sensitivity_example.py", "src/ketasim/studies/indices.py",
              "src/ketasim/studies/designs/blocks.py", "src/ketasim/plots/sensitivity.py",
              "src/ketasim/plots/style.py"), 1.0),
    Artefact("posterior", "scripts/posterior.py",
             ("configs/posterior/draws.csv", "configs/posterior/posterior.json"),
             ("scripts/posterior.py", "src/ketasim/studies/posterior/*.py", *ASKED, *KNOWN), 20.0),
    Artefact("timecourse", "scripts/figure_timecourse.py", ("docs/figures/human_depressed.png",),
             ("scripts/figure_timecourse.py", PLOTS), 0.1),
    Artefact("benchmark", "scripts/figure_benchmark.py", ("docs/figures/benchmark.png",),
             ("scripts/figure_benchmark.py", "benchmarks/engines.json",
              "src/ketasim/plots/style.py"), 0.1, of_model=False),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="artefacts; else those out of date")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--check", action="store_true", help="exit 1 naming what is out of date")
    how.add_argument("--list", action="store_true", help="show the table")
    how.add_argument("--record", action="store_true", help="keep what is there as current")
    asked = parser.parse_args()
    known = {one.name: one for one in ARTEFACTS}
    unknown = [name for name in asked.names if name not in known]
    if unknown:
        parser.error(f'"{unknown[0]}": no such artefact. Artefacts here: {", ".join(known)}.')
    chosen = [known[name] for name in asked.names] or list(ARTEFACTS)
    if asked.list:
        print("\n".join(described(chosen)))
    elif asked.check:
        sys.exit(check(chosen, ROOT))
    elif asked.record:
        record(chosen, ROOT)
    else:
        regenerate(chosen if asked.names else stale(ROOT), ROOT)


def stale(root: Path) -> Iterator[Artefact]:
    """Yield what is out of date, judged when its turn comes: one may be another's input."""
    for one in ARTEFACTS:
        if not faults(one, root):
            continue
        if one.only_named:  # or a number that moved would be taken for the one released
            print(f"{one.name}: out of date; type python scripts/regenerate.py {one.name}, and "
                  "say in the changelog, under Science, what moved.")  # fmt: skip
            continue
        yield one


def described(artefacts: Iterable[Artefact]) -> Iterator[str]:
    """Yield a few lines for each artefact."""
    for one in artefacts:
        yield f"{one.name}: about {one.minutes:g} min, python {one.command}"
        yield f"    writes {', '.join(one.outputs)}"
        yield f"    from {', '.join([*(['the model'] if one.of_model else []), *one.inputs])}"


def check(artefacts: Iterable[Artefact], root: Path) -> int:
    """Say what is out of date, why, and what to type; return the exit code."""
    found = {one.name: why for one in artefacts if (why := faults(one, root))}
    for name, why in found.items():
        print(f"{name}: {'; '.join(why)}. Type: python scripts/regenerate.py {name}")
    if not found:
        print("everything generated is up to date")
    return 1 if found else 0


def faults(one: Artefact, root: Path) -> list[str]:
    """Return why an artefact is out of date; nothing when it is not."""
    missing = [name for name in one.outputs if not (root / name).is_file()]
    if missing:
        return [f"{missing[0]} is missing"]
    kept = read_manifest(root).get(one.name)
    if kept is None:
        return [f"not in {MANIFEST}"]
    told = {
        "model": "the model has changed",
        "inputs": f"its inputs have changed ({', '.join(one.inputs)})",
        "outputs": f"{' or '.join(one.outputs)} was changed by hand",
    }
    now = digests(one, root)
    return [sentence for key, sentence in told.items() if kept.get(key, "") != now.get(key, "")]


def digests(one: Artefact, root: Path) -> dict[str, str]:
    """Return what the manifest holds of an artefact as it is now."""
    model = {"model": antidepressant().digest} if one.of_model else {}
    inputs = [path for pattern in one.inputs for path in matching(pattern, root)]
    outputs = [root / name for name in one.outputs]
    return {**model, "inputs": digest(inputs, root), "outputs": digest(outputs, root)}


def matching(pattern: str, root: Path) -> list[Path]:
    """Return the files of a pattern, in order; an input that is not there is a mistake above."""
    found = sorted(root.glob(pattern))
    if not found:
        raise SystemExit(f"scripts/regenerate.py: no file is called {pattern}.")
    return found


def digest(paths: Iterable[Path], root: Path) -> str:
    """Return one hash of files and their names, the same whatever a checkout's line endings."""
    total = hashlib.sha256()
    for path in paths:
        data = path.read_bytes()
        data = data.replace(b"\r\n", b"\n") if path.suffix in TEXT else data
        total.update(f"{path.relative_to(root).as_posix()} {len(data)}\n".encode())
        total.update(data)
    return total.hexdigest()[:16]


def read_manifest(root: Path) -> Mapping[str, Mapping[str, str]]:
    """Return what was recorded of each artefact."""
    path = root / MANIFEST
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def record(artefacts: Iterable[Artefact], root: Path) -> None:
    """Keep the digests of artefacts as they are now."""
    kept = dict(read_manifest(root)) | {one.name: digests(one, root) for one in artefacts}
    lines = ["# Written by scripts/regenerate.py: what each generated artefact was written from."]
    for one in ARTEFACTS:
        if one.name in kept:
            lines += ["", f"[{one.name}]"]
            lines += [f'{key} = "{value}"' for key, value in kept[one.name].items()]
    (root / MANIFEST).write_text("\n".join(lines) + "\n", encoding="utf-8")


def regenerate(artefacts: Iterable[Artefact], root: Path) -> None:
    """Write artefacts one after another, each recorded as soon as it is there."""
    path = os.pathsep.join(filter(None, [str(root / "src"), os.environ.get("PYTHONPATH")]))
    for one in artefacts:
        print(f"{one.name}: python {one.command} (about {one.minutes:g} min)", flush=True)
        words = [sys.executable, *shlex.split(one.command)]
        subprocess.run(words, cwd=root, check=True, env={**os.environ, "PYTHONPATH": path})
        record([one], root)


if __name__ == "__main__":
    main()
