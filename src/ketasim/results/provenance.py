"""What made a result: versions, machine, source state, and hashes of what was written."""

import hashlib
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import ketasim

PACKAGES = (
    "numpy", "scipy", "xarray", "netCDF4", "zarr", "numba", "pydantic", "matplotlib", "click",
    "pint", "tqdm",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Return the version of this package, of Python, and of what it stands on."""
    found = {"ketasim": ketasim.__version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def machine() -> dict[str, Any]:
    """Return the operating system and the processor, with the features that change rounding."""
    model, flags = _processor()
    telling = ("fma", "avx", "avx2", "avx512f", "neon", "asimd", "sve")
    return {
        "system": platform.platform(),
        "processor": model or platform.processor() or platform.machine(),
        "features": [one for one in telling if one in flags],
    }


def _processor() -> tuple[str, set[str]]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "", set()
    told: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition(":")
        told.setdefault(key.strip().lower(), value.strip())
    return told.get("model name", ""), set(told.get("flags", told.get("features", "")).split())


def source_state() -> dict[str, Any] | None:
    """Return the commit of the source tree and whether it was changed; None when installed."""
    root = Path(ketasim.__file__).parents[2]
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return None
    try:
        commit = _ask(git, root, "rev-parse", "HEAD")
        return {"commit": commit, "changed": bool(_ask(git, root, "status", "--porcelain", "-uno"))}
    except (subprocess.SubprocessError, OSError):
        return None


def _ask(git: str, root: Path, *words: str) -> str:
    command = [git, "-C", str(root), *words]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=5
    ).stdout.strip()


def digest(path: Path) -> str:
    """Return the sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def collect(attributes: dict[str, Any], files: Iterable[Path]) -> dict[str, Any]:
    """Return everything worth knowing about a run whose global attributes these are."""
    plain = {k: v.tolist() if hasattr(v, "tolist") else v for k, v in attributes.items()}
    plain.pop("scenario", None)
    return {
        "format": 1,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "versions": versions(),
        "machine": machine(),
        "source": source_state(),
        "run": plain,
        "sha256": {path.name: digest(path) for path in files},
    }
