"""Does an installation work at all? A demo, a sweep of a few members, one check, the doctor.

    python scripts/floor.py

For environments with the lowest or the newest versions that pyproject.toml allows; needs no test
tools, and exits with 1 at the first line that fails.
"""

import subprocess
import sys
import tempfile

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
    with tempfile.TemporaryDirectory() as place:
        for words in LINES:
            done = subprocess.run(
                [sys.executable, "-m", "ketasim", *words], cwd=place, capture_output=True, text=True
            )
            print(f"ketasim {' '.join(words)}: {done.returncode}", flush=True)
            if done.returncode:
                print(done.stdout, done.stderr)
                sys.exit(1)


if __name__ == "__main__":
    main()
