"""Does an installation work at all? A demo, a sweep of a few members, one check, the doctor.

    python scripts/floor.py
    python scripts/floor.py --write lowest   # and say in docs/reliability.md that it did, with what

For environments with the lowest or the newest versions that pyproject.toml allows; needs no test
tools, and exits with 1 at the first line that fails.
"""

import argparse
import platform
import re
import subprocess
import sys
import tempfile
import tomllib
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reliability.md"
MARK, END = "<!-- written by scripts/floor.py -->", "<!-- end of what scripts/floor.py writes -->"
LINES = (
    ("demo",),
    ("sweep", "human_healthy_iv", "--sample", "sobol:8", "--set", "output.until=6 h"),
    ("sweep", "human_healthy_iv", "--sample", "sobol:4", "--set", "output.until=6 h",
     "--engine", "reference", "-o", "reference.zarr"),
    ("status", "reference.zarr"),
    ("check", "--only", "1"),
    ("doctor",),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", metavar="WORD", help="which versions these are")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        for words in LINES:
            done = subprocess.run(
                [sys.executable, "-m", "ketasim", *words], cwd=place, capture_output=True, text=True
            )
            print(f"ketasim {' '.join(words)}: {done.returncode}", flush=True)
            if done.returncode:
                print(done.stdout, done.stderr)
                sys.exit(1)
    if asked.write:
        write(asked.write)


def write(which: str) -> None:
    """Put one row on the page; those of other Pythons and versions stay."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [re.split(r"[^-\w]", one)[0] for one in project["dependencies"]]
    told = ", ".join(f"{name} {version(name)}" for name in names)
    python, today = platform.python_version(), datetime.now(UTC).date().isoformat()
    row = f"| {python} | {which} | {told} | {len(LINES)} of {len(LINES)} | {today} |"
    above, _, rest = PAGE.read_text(encoding="utf-8").partition(MARK)
    rows, _, below = rest.partition(END)
    kept = {tuple(one.split("|")[1:3]): one for one in rows.splitlines() if one.count("|") > 5}
    kept.pop((" Python ", " versions "), None)
    kept[tuple(row.split("|")[1:3])] = row
    head = [
        "| Python | versions | which | commands that ended well | on |",
        "|---|---|---|--:|---|",
    ]
    lines = [MARK, "", *head, *(kept[one] for one in sorted(kept) if one[0] != "---"), "", END]
    PAGE.write_text("\n".join([above.rstrip(), "", *lines]) + below, encoding="utf-8")


if __name__ == "__main__":
    main()
