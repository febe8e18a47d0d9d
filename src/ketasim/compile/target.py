"""Which processor machine code is made for: this one, or the one that the environment names.

Everything that depends on the processor asks here, and nothing asks the processor itself: a cluster
that shares a cache may set KETASIM_CPU (and KETASIM_CPU_FEATURES) to what all of its machines have.
"""

import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from llvmlite import binding


@dataclass(frozen=True)
class Target:
    """A processor, as LLVM names it."""

    triple: str
    cpu: str
    features: str

    @property
    def has(self) -> frozenset[str]:
        """Return the features it is known to have."""
        told = (one for one in self.features.split(",") if one.startswith("+"))
        return frozenset(one[1:] for one in told)

    @property
    def is_arm(self) -> bool:
        """Return whether it is a 64-bit ARM, whose vectors are two doubles wide."""
        return self.triple.startswith(("aarch64", "arm64"))

    @property
    def has_fma(self) -> bool:
        """Return whether it multiplies and adds with one rounding."""
        return self.is_arm or bool(self.has & {"fma", "fma4", "avx512f"})

    @property
    def width(self) -> int:
        """Return how many doubles one instruction works on."""
        return 8 if "avx512f" in self.has else 4 if "avx" in self.has else 2

    def machine(self) -> Any:
        """Return LLVM's description of it, which writes its code."""
        binding.initialize_all_targets()
        binding.initialize_all_asmprinters()
        return binding.Target.from_triple(self.triple).create_target_machine(
            cpu=self.cpu, features=self.features, opt=1, reloc="default", codemodel="jitdefault"
        )


# What a family of processors has, by the names of the x86-64 levels; LLVM knows what else follows.
LEVELS = {
    "x86-64": "",
    "x86-64-v2": "+sse3,+ssse3,+sse4.1,+sse4.2",
    "x86-64-v3": "+avx,+avx2,+fma,+bmi,+bmi2,+f16c,+lzcnt,+movbe",
    "x86-64-v4": "+avx,+avx2,+fma,+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl",
}


def target() -> Target:
    """Return the processor that code is made for."""
    return _target(os.environ.get("KETASIM_CPU", ""), os.environ.get("KETASIM_CPU_FEATURES", ""))


@lru_cache(maxsize=16)
def _target(cpu: str, features: str) -> Target:
    triple = binding.get_process_triple()
    if cpu:
        return Target(triple, cpu, features or LEVELS.get(cpu, ""))
    own = features or binding.get_host_cpu_features().flatten()
    return Target(triple, binding.get_host_cpu_name(), own)
