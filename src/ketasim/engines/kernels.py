"""Kernels: a model's equations as machine code, one for every question that can be put to it.

What is recorded, which numbers are taken, which inputs are turned and which doses given are no
part of a kernel. Two things are. Powers with whole exponents are products in one *variant* and
general powers in the other; which one serves a member follows from that member's own parameters, so
its bits depend on nothing else. And a *narrow* kernel leaves out states that certain schedules
cannot move: no bit changes, and it is faster, so it is used where it is at hand and made where it
pays.
"""

import contextlib
import hashlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from ketasim.compile import cache
from ketasim.compile.kernel import Plan, Reversal, plan, reversal
from ketasim.compile.machine import Code
from ketasim.compile.target import target
from ketasim.compile.wiring import Equations, equations, whole_exponents
from ketasim.core.code import code_of
from ketasim.core.model import Model
from ketasim.core.schedule import Schedule
from ketasim.core.shared import remembered
from ketasim.core.system import System
from ketasim.engines.inputs import Inputs, gather
from ketasim.engines.rodas5p import RODAS5P
from ketasim.errors import ModelError

Array = NDArray[np.float64]
Schedules = Schedule | Sequence[Schedule]
PAYS = 1_000  # members in a sweep for which a narrow kernel is made, for them and the next
AGAIN = 2.0  # seconds after which it is looked for again what others have compiled
LOG = logging.getLogger("ketasim.kernels")


@dataclass(frozen=True)
class Shape:
    """How many members a thread carries at once, and how many one instruction does."""

    lanes: int
    width: int


@dataclass(frozen=True)
class Compiled:
    """One variant: what it computes, its code, and a note when it could not be kept."""

    plan: Plan
    code: Code
    note: str


@dataclass(frozen=True)
class Kernel:
    """Equations ready for :func:`ketasim.engines.ensemble.run_members`.

    ``dosed`` are the states that schedules may feed, ``turned`` the inputs they may move, ``whole``
    the exponents (by parameter) that the fast variant takes as whole numbers. ``record`` is what is
    shown when nothing else is asked for. ``system`` is None for equations that are not a model's;
    ``key`` names the equations, and is empty where nobody asks for them again.
    """

    system: System | None
    trace: Callable[[Mapping[int, float]], Equations]
    record: tuple[str, ...]
    dosed: tuple[int, ...]
    turned: tuple[int, ...]
    whole: Mapping[int, float]
    shape: Shape
    started: tuple[int, ...] = ()
    key: str = ""
    _made: dict[bool, Compiled] = field(default_factory=dict, compare=False)
    _plans: dict[bool, Plan] = field(default_factory=dict, compare=False)
    _narrow: dict[object, "Kernel"] = field(default_factory=dict, compare=False)
    _back: dict[bool, tuple[Reversal, Code]] = field(default_factory=dict, compare=False)
    _looked: dict[bool, float] = field(default_factory=dict, compare=False)
    _seen: set[bool] = field(default_factory=set, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, compare=False)

    def is_general(self, parameters: Array) -> NDArray[np.bool_]:
        """Return which members need the general variant, shape (n_members,)."""
        columns, values = list(self.whole), list(self.whole.values())
        found: NDArray[np.bool_] = (parameters[:, columns] != values).any(axis=1)
        return found

    def plan(self, *, general: bool) -> Plan:
        """Return a variant's plan, remembered from before or written now."""
        if general not in self._plans:
            known = cache.recalled(self._name(general=general)) if self.key else None
            self._plans[general] = known or self._written(general=general)
        return self._plans[general]

    def _written(self, *, general: bool) -> Plan:
        return plan(
            self.trace({} if general else self.whole),
            RODAS5P,
            dosed=self.dosed,
            turned=self.turned,
            started=self.started,
            lanes=self.shape.lanes,
            width=self.shape.width,
            watches=self.system is not None,
        )

    def _name(self, *, general: bool) -> str:
        """Return what a variant is remembered by."""
        told = (self.key, self.shape, self.dosed, self.turned, self.started, general)
        return hashlib.sha256(repr(told).encode()).hexdigest()[:24]

    def is_compiled(self, *, general: bool = False) -> bool:
        """Return whether a variant is at hand or on disk, so that nobody has to wait for it."""
        return general in self._made or cache.is_kept(self.plan(general=general).module)

    def is_at_hand(self, *, general: bool = False) -> bool:
        """Return whether a variant can be had at once, without even writing its plan.

        Whether one has been made meanwhile is looked for on disk every few seconds.
        """
        if general in self._made or general in self._seen:
            return True
        now = time.monotonic()
        if now - self._looked.get(general, -AGAIN) < AGAIN:
            return False
        if cache.recalled(self._name(general=general)) is not None:
            self._seen.add(general)  # to look again took as long as half of a run
            return True
        self._looked[general] = now
        return False

    def make_later(self) -> None:
        """Have the usual variant compiled by another process."""
        made = self.plan(general=False)
        if cache.make_in_background(made):
            cache.remember(self._name(general=False), made)
            LOG.info("a kernel is being made in the background, for the next time")

    def compiled(self, *, general: bool = False) -> Compiled:
        """Return a variant, compiling it now if it has to be."""
        with self._lock:
            if general not in self._made:
                if not self.is_compiled(general=general):
                    LOG.info(
                        "compiling the model; this is done once a model and takes some seconds"
                    )
                made = self.plan(general=general)
                try:
                    code, note = cache.load(made.module, made.text)
                except LookupError:  # it was remembered, and somebody has removed it meanwhile
                    made = self._plans[general] = self._written(general=general)
                    code, note = cache.load(made.module, made.text)
                if self.key and not note:
                    cache.remember(self._name(general=general), made)
                self._made[general] = Compiled(made, code, note)
            return self._made[general]

    def backward(self, *, general: bool = False) -> tuple[Reversal, Code]:
        """Return what takes derivatives back through a variant's steps, compiling it if need be.

        Raises
        ------
        ModelError
            For equations that are not a model's.
        """
        if self.system is None:
            raise ModelError("derivatives are taken back through the steps of models only.")
        with self._lock:
            if general not in self._back:
                whole = {} if general else self.whole
                eq = equations(self.system, whole=whole, marked=True)
                made = reversal(eq, RODAS5P, self.plan(general=general), width=self.shape.width)
                if not cache.is_kept(made.module):
                    LOG.info("compiling the model backwards; once a model, some seconds")
                code, _ = cache.load(made.module, made.text)
                self._back[general] = made, code
            return self._back[general]

    def narrowed(self, inputs: Inputs) -> "Kernel":
        """Return the kernel that serves no other inputs than these can be."""
        if self.system is None:
            return self
        dosed, turned = inputs.dosed, inputs.turned(self.system.neutral_knobs)
        if (dosed, turned) not in self._narrow:
            self._narrow[dosed, turned] = replace(
                self, dosed=dosed, turned=turned, _made={}, _plans={}, _narrow={}, _back={},
                _looked={}, _seen=set(), _lock=threading.Lock(),
            )  # fmt: skip
        return self._narrow[dosed, turned]


def processor_shape() -> Shape:
    """Return the shape measured to be fastest for the target's vector registers."""
    return Shape(8, target().width)


def compile_kernel(
    system: System,
    *,
    record: Sequence[str] = (),
    schedules: Schedules | Inputs | None = None,
    shape: Shape | None = None,
) -> Kernel:
    """Return a model's kernel; machine code is made, or found on disk, when it is first needed.

    With ``schedules`` the kernel serves those and any others that feed no more states and turn no
    more inputs; without, it serves all.

    Raises
    ------
    ModelError
        When a law cannot be compiled, or a recorded name is unknown.
    """
    for name in record:
        system.model.role(name)
    whole = whole_exponents(system)
    wide = Kernel(
        system=system,
        trace=lambda whole: equations(system, whole=whole),
        record=tuple(record),
        dosed=tuple(range(len(system.state_names))),
        turned=tuple(range(len(system.neutral_knobs))),
        whole=whole,
        shape=shape or processor_shape(),
        key=_structure(_Held(system.model)).key,
    )
    if schedules is None:
        return wide
    return wide.narrowed(schedules if isinstance(schedules, Inputs) else gather(schedules))


@dataclass(frozen=True)
class _Structure:
    """A model as a kernel sees it: its laws and wires, but none of its parameters' values."""

    model: Model

    @cached_property
    def key(self) -> str:
        """Return a hash of everything that a kernel's text follows from."""
        model = self.model
        wired = remembered(model.mechanisms, "wired", self._wired)
        whole = repr(sorted(whole_exponents(System(model)).items()))
        return hashlib.sha256(f"{wired}\n{whole}".encode()).hexdigest()

    def _wired(self) -> str:
        model = self.model
        wires = (*model.derived, *model.quantities, *model.flows)
        parts = [
            repr((n, s.unit, model.initial(n), s.scale, s.within)) for n, s in model.states.items()
        ]
        parts += [repr((n, k.unit, k.neutral)) for n, k in model.knobs.items()]
        parts.append(repr(tuple(model.parameters)))
        parts += [repr((w.name, w.arguments, w.into, w.out_of)) + code_of(w.law) for w in wires]
        return "\n".join(parts)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Structure) and other.key == self.key


@lru_cache(maxsize=16)
def _wide(structure: _Structure) -> Kernel:
    return compile_kernel(System(structure.model))


def is_ready(model: Model, parameters: Array) -> bool:
    """Return whether members (n_members, n_parameters) of a model can run without compiling."""
    wide = _wide(_structure(_Held(model)))
    variants = set(wide.is_general(np.atleast_2d(parameters)).tolist())
    return all(wide.is_at_hand(general=bool(one)) for one in variants)


def make_ready(model: Model) -> None:
    """Have a model's kernel compiled by another process, for whoever asks next."""
    with contextlib.suppress(ModelError):  # a law that cannot be compiled; SciPy runs it
        wide = _wide(_structure(_Held(model)))
        if not wide.is_at_hand():
            wide.make_later()


def kernel_for(
    model: Model, inputs: Inputs, *, members: int, covering: Schedule | None = None
) -> Kernel:
    """Return a kernel that serves these inputs: the narrow one if it is at hand, else the wide one.

    ``members`` are to come in all, under schedules that ``covering`` covers; where they are many, a
    narrow kernel is made in the background, for what is left of them and for the next time.
    """
    wide = _wide(_structure(_Held(model)))
    narrow = wide.narrowed(inputs if covering is None else gather(covering))
    if narrow.is_at_hand():
        return narrow
    if members >= PAYS:
        narrow.make_later()
    return wide


@dataclass(frozen=True)
class _Held:
    """A model compared by its identity, so that its structure is looked at once."""

    model: Model

    def __hash__(self) -> int:
        return id(self.model)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and other.model is self.model


@lru_cache(maxsize=64)
def _structure(held: _Held) -> _Structure:
    return _Structure(held.model)
