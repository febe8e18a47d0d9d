"""How much memory a child has held: ``ru_maxrss`` would count what its parent held at its birth."""

from pathlib import Path

import pytest

STATUS = Path("/proc/self/status")
# For the text of a child: the most it has held since it began [kB].
PEAK = f"""
def peak():
    for line in open("{STATUS}"):
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
"""
TOLD = pytest.mark.skipif(not STATUS.exists(), reason="the system does not tell a process's peak")
