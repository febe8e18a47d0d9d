"""Kernels: a system's equations as machine code, in two variants.

Powers with whole exponents are products in one variant and general powers in the other. Which one
serves a member follows from that member's own parameters, so its bits depend on nothing else.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from ketasim.compile import cache
from ketasim.compile.kernel import Plan, plan
from ketasim.compile.wiring import Equations, equations, whole_exponents
from ketasim.core.schedule import Schedule
from ketasim.core.system import System
from ketasim.engines.inputs import Inputs, gather
from ketasim.engines.rodas5p import RODAS5P

Array = NDArray[np.float64]
Schedules = Schedule | Sequence[Schedule]


@dataclass(frozen=True)
class Shape:
    """How many members a thread carries at once, and how many one instruction does."""

    lanes: int
    width: int


@dataclass(frozen=True)
class Compiled:
    """One variant: what it computes, its module, and a note when it could not be kept."""

    plan: Plan
    module: ModuleType
    note: str


@dataclass(frozen=True)
class Kernel:
    """Equations ready for :func:`ketasim.engines.ensemble.run_members`.

    ``dosed`` are the states that schedules may feed, ``turned`` the knobs they may move, ``whole``
    the exponents (by parameter) that the fast variant takes as whole numbers. ``system`` is None
    for equations that are not a model's.
    """

    system: System | None
    trace: Callable[[Mapping[int, float]], Equations]
    record: tuple[str, ...]
    dosed: tuple[int, ...]
    turned: tuple[int, ...]
    whole: Mapping[int, float]
    shape: Shape
    started: tuple[int, ...] = ()
    _made: dict[bool, Compiled] = field(default_factory=dict, compare=False)
    _plans: dict[bool, Plan] = field(default_factory=dict, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, compare=False)

    def is_general(self, parameters: Array) -> NDArray[np.bool_]:
        """Return which members need the general variant, shape (n_members,)."""
        columns, values = list(self.whole), list(self.whole.values())
        found: NDArray[np.bool_] = (parameters[:, columns] != values).any(axis=1)
        return found

    def plan(self, *, general: bool) -> Plan:
        """Return the text of a variant, not compiled yet."""
        if general not in self._plans:
            self._plans[general] = plan(
                self.trace({} if general else self.whole),
                RODAS5P,
                record=self.record,
                dosed=self.dosed,
                turned=self.turned,
                started=self.started,
                lanes=self.shape.lanes,
                width=self.shape.width,
            )
        return self._plans[general]

    def is_compiled(self, *, general: bool = False) -> bool:
        """Return whether a variant is at hand or on disk, so that nobody has to wait for it."""
        return general in self._made or cache.is_kept(self.plan(general=general).text)

    def compiled(self, *, general: bool = False) -> Compiled:
        """Return a variant, compiling it now if it has to be."""
        with self._lock:
            if general not in self._made:
                made = self.plan(general=general)
                self._made[general] = Compiled(made, *cache.load(made.text))
            return self._made[general]


def processor_shape() -> Shape:
    """Return the shape measured to be fastest for this processor's vector registers."""
    from llvmlite.binding import get_host_cpu_features

    features = get_host_cpu_features()
    return Shape(8, 8 if features.get("avx512f") else 4 if features.get("avx") else 2)


def compile_kernel(
    system: System,
    *,
    record: Sequence[str],
    schedules: Schedules | Inputs | None = None,
    shape: Shape | None = None,
) -> Kernel:
    """Return a model's kernel; machine code is made, or found on disk, when it is first needed.

    With ``schedules`` the kernel serves those and any others that feed no more states and turn no
    more knobs; without, it serves all. What it leaves out changes no bit of what remains.

    Raises
    ------
    ModelError
        When a law cannot be compiled, or a recorded name is unknown.
    """
    for name in record:
        system.model.role(name)
    dosed: Sequence[int] = range(len(system.state_names))
    turned: Sequence[int] = range(len(system.neutral_knobs))
    if schedules is not None:
        inputs = schedules if isinstance(schedules, Inputs) else gather(schedules)
        dosed, turned = inputs.dosed, inputs.turned(system.neutral_knobs)
    return Kernel(
        system=system,
        trace=lambda whole: equations(system, whole=whole),
        record=tuple(record),
        dosed=tuple(dosed),
        turned=tuple(turned),
        whole=whole_exponents(system),
        shape=shape or processor_shape(),
    )
