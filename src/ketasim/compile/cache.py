"""Compiled kernels, kept in the user's cache folder under the hash of their content.

A module's name is the hash of its text, of the code that turns programs into instructions, and of
the versions involved, so nothing stale can be found. Files appear whole, are never rewritten, and
carry a constant time stamp, so that processes that compile the same kernel at once agree.
"""

import hashlib
import importlib.util
import os
import platform
import sys
import tempfile
import threading
from pathlib import Path
from types import ModuleType

EMITTERS = ("emit.py", "elementary.py")
_ONE_AT_A_TIME = threading.Lock()  # a module half executed must not be found by another thread
STAMP = 1_000_000_000  # numba compares time stamps; equal content must have an equal one


def folder() -> Path:
    """Return where kernels are kept: KETASIM_CACHE_DIR, or the platform's cache folder."""
    chosen = os.environ.get("KETASIM_CACHE_DIR")
    if chosen:
        return Path(chosen)
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local")) / "ketasim"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "ketasim"
    return Path(os.environ.get("XDG_CACHE_HOME", home / ".cache")) / "ketasim"


def name_of(text: str) -> str:
    """Return the name of the module that holds a text: a hash of all that decides its code."""
    import llvmlite
    import numba

    here = Path(__file__).parent
    parts = [text, numba.__version__, llvmlite.__version__, platform.python_version()]
    parts += [(here / one).read_text(encoding="utf-8") for one in EMITTERS]
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
    return f"kernel_{digest}"


def is_kept(text: str) -> bool:
    """Return whether a kernel for this text was compiled before."""
    name = name_of(text)
    return name in sys.modules or any(folder().glob(f"__pycache__/{name}.*.nbi"))


def load(text: str) -> tuple[ModuleType, str]:
    """Return the module of a text, compiled now or before, and a note when it cannot be kept."""
    name = name_of(text)
    with _ONE_AT_A_TIME:
        if name in sys.modules:
            return sys.modules[name], ""
        try:
            return _execute(name, _keep(folder(), name, text)), ""
        except OSError as error:
            note = f"compiled kernels cannot be kept in {folder()} ({error.strerror})"
        with tempfile.TemporaryDirectory() as place:
            return _execute(name, _keep(Path(place), name, text)), note


def _keep(place: Path, name: str, text: str) -> Path:
    """Write a module if it is not there yet, so that it appears whole or not at all."""
    (place / "__pycache__").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=place / "__pycache__"):
        pass  # numba needs to write here
    path = place / f"{name}.py"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return path
    handle, draft = tempfile.mkstemp(dir=place, suffix=".part")
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    os.utime(draft, (STAMP, STAMP))
    Path(draft).replace(path)
    return path


def _execute(name: str, path: Path) -> ModuleType:
    """Run a module; it is registered first, or numba would not cache what it compiles."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise OSError(f"{path} cannot be read as a module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
