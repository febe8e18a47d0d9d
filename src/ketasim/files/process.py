"""Which process wrote something: told apart on any machine, in any container, after any restart.

Two containers may share a host's name and a process number, and two machines may share a disk. A
place is therefore a host's name, the running system's own number and the name space of process
numbers; only within one place can a number be asked for. A random token tells writers apart even
where a place cannot be told.
"""

import hashlib
import os
import re
import secrets
import socket
import time
from functools import cache
from pathlib import Path

ABANDONED = 3600.0  # what another place left half written is taken for abandoned after so long [s]
_MARK = re.compile(r"\.(?P<place>[0-9a-f]{12})-(?P<pid>\d+)-[0-9a-f]{12,}\.\w+$")
_proc = Path("/proc")


@cache
def place() -> str:
    """Return a name for this machine's running system and this space of process numbers."""
    parts = [socket.gethostname()]
    try:
        parts.append((_proc / "sys/kernel/random/boot_id").read_text().strip())
        parts.append(str((_proc / "self/ns/pid").readlink()))
    except OSError:
        pass  # not Linux: one space of numbers a machine
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def mark() -> str:
    """Return what tells one piece of writing from any other: place, process, and chance."""
    return f"{place()}-{os.getpid()}-{secrets.token_hex(6)}"


def alive(pid: int) -> bool:
    """Say whether a process of this place is running."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def began(pid: int) -> str:
    """Return when a process of this place began, where that can be told; else ''."""
    try:
        if os.fspath((_proc / "self").readlink()) != str(os.getpid()):
            return ""  # /proc shows another space of numbers
        return (_proc / str(pid) / "stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def is_dead(path: Path) -> bool:
    """Say whether whoever was writing ``path``, whose name bears a mark, is gone."""
    found = _MARK.search(path.name)
    try:
        if time.time() - path.lstat().st_mtime > ABANDONED:
            return True
    except OSError:
        return False
    if found is None or found["place"] != place() or os.name == "nt":
        return False
    return not alive(int(found["pid"]))
