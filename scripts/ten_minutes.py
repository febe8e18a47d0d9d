"""Go through docs/ten-minutes.md as a new user would, and write down how long each step took.

python scripts/ten_minutes.py            # a new environment, an empty folder, no kernel compiled
python scripts/ten_minutes.py --quick    # without installing: this Python's own ketasim
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "ten-minutes.md"
MARK = "<!-- written by scripts/ten_minutes.py -->\n"
STEP = re.compile(r"^## (\d+\. [^\n]*)\n+```(bash|python)\n(.*?)^```", re.DOTALL | re.MULTILINE)
FROM_SOURCE = ("pip install ketasim", f"pip install -q {ROOT}")  # what is not yet released


def steps() -> Iterator[tuple[str, str]]:
    """Yield each step of the page: its heading, and what is typed, as lines of a shell."""
    for title, language, text in STEP.findall(PAGE.read_text(encoding="utf-8")):
        yield title, text if language == "bash" else f"python - <<'END'\n{text}END\n"


def main() -> None:
    """Try every step, stop at the first that fails, and write the times into the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="do not install, write nothing")
    quick = parser.parse_args().quick
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for title, typed in steps():
            if quick and title.startswith("1."):
                continue
            took = tried(typed, Path(folder), quick=quick)
            found.append((title, took))
            print(f"{took:6.1f} s  {title}", flush=True)
    if not quick:
        text = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
        PAGE.write_text(text + MARK + "\n" + table(found), encoding="utf-8")


def tried(typed: str, folder: Path, *, quick: bool) -> float:
    """Type a step in a folder and return how long it took [s]; exits where it fails."""
    begun = "" if quick or "venv" in typed else ". own/bin/activate\n"
    mine = {"KETASIM_CACHE_DIR": str(folder / "cache"), "MPLBACKEND": "agg"}
    if quick:
        mine["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    began = time.perf_counter()
    done = subprocess.run(
        ["bash", "-e", "-c", begun + typed.replace(*FROM_SOURCE)],
        cwd=folder, env={**os.environ, **mine}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"a step failed:\n{typed}\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
    return time.perf_counter() - began


def table(found: list[tuple[str, float]]) -> str:
    """Return the times as a table, with where and when they were taken."""
    rows = [f"| {title} | {took:.0f} |" for title, took in found]
    total = sum(took for _, took in found)
    where = (
        f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    return "\n".join(
        ["| step | seconds |", "|---|--:|", *rows, f"| all | {total:.0f} |", "",
         f"{date.today().isoformat()}, {where}."]
    ) + "\n"  # fmt: skip


if __name__ == "__main__":
    main()
