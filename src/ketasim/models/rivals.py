"""Rival hypotheses of ketamine's action, and null models, as small edits of the one model.

A hypothesis names parameter values; ``strength`` names the gain that is calibrated, between 0 and
1, to the same reference effect before rivals are compared. Nulls have none. A mixture names several
gains with their shares, which are calibrated together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ketasim.core.declare import Mechanism
from ketasim.core.model import Model
from ketasim.errors import ModelError, suggest
from ketasim.models.modules import recoupled, with_modules


@dataclass(frozen=True)
class Hypothesis:
    """A hypothesis as an edit: a name, what it says, parameter values, and the gain to calibrate.

    ``shares`` name several gains instead of one ``strength``; the largest share is the whole of what
    is calibrated. ``mechanisms`` stand in for those of the same names; ``modules`` are what it needs.
    """

    name: str
    story: str
    values: Mapping[str, str | float] = field(default_factory=dict)
    strength: str = ""
    shares: Mapping[str, float] = field(default_factory=dict)
    mechanisms: tuple[Mechanism, ...] = ()
    modules: tuple[str, ...] = ()

    @property
    def gains(self) -> dict[str, float]:
        """Return the gains to calibrate, each relative to the largest; empty for a null."""
        shares = {self.strength: 1.0} if self.strength else dict(self.shares)
        most = max(shares.values(), default=0.0)
        return {name: share / most for name, share in shares.items()}

    def structure(self, base: Model) -> Model:
        """Return the base model with this hypothesis's own modules and mechanisms.

        A mechanism that stands in for another is coupled as that one was.

        Raises
        ------
        ModelError
            When the base has no mechanism of such a name, or the new one does not fit.
        """
        base = with_modules(base, self.modules)
        own = {one.name: recoupled(one, base) for one in self.mechanisms}
        known = [one.name for one in base.mechanisms]
        for name in own:
            if name not in known:
                raise ModelError(f'"{name}": no such mechanism to replace.{suggest(name, known)}')
        changed = tuple(own.get(one.name, one) for one in base.mechanisms)
        return replace(base, mechanisms=changed) if own else base

    def model(self, base: Model, gain: float | None = None) -> Model:
        """Return the base model under this hypothesis, its gain set when one is given.

        Raises
        ------
        ModelError
            When a name is not a parameter of the base model.
        """
        values = dict(self.values)
        if gain is not None:
            values.update({name: gain * share for name, share in self.gains.items()})
        base = self.structure(base)
        return base.with_values(values) if values else base


_OFF = {"drivers.disinhibition": 0.0}

DISINHIBITION = Hypothesis(
    "disinhibition",
    "Block of NMDA receptors on interneurons disinhibits pyramidal cells (the default).",
    {"drivers.disinhibition": 1.0},
    "drivers.disinhibition",
)
RESTING = Hypothesis(
    "resting",
    "Block of resting NMDA receptors silences eEF2 kinase and BDNF is translated.",
    {**_OFF, "drivers.resting": 1.0},
    "drivers.resting",
)
HYDROXYNORKETAMINE = Hypothesis(
    "hydroxynorketamine",
    "(2R,6R)-hydroxynorketamine raises glutamate release, without NMDA receptors.",
    {**_OFF, "drivers.hydroxynorketamine": 1.0},
    "drivers.hydroxynorketamine",
)
TRKB = Hypothesis(
    "trkb",
    "The drug binds TrkB and strengthens BDNF.",
    {**_OFF, "drivers.trkb": 1.0},
    "drivers.trkb",
)
LHB = Hypothesis(
    "lhb",
    "Trapped block silences the lateral habenula and lifts mood.",
    {**_OFF, "drivers.lhb": 1.0},
    "drivers.lhb",
)
OPIOID = Hypothesis(
    "opioid",
    "Disinhibition drives the effect and opioid tone gates the change of mood.",
    {"drivers.opioid": 1.0},
    "drivers.disinhibition",
)
RIVALS = (DISINHIBITION, RESTING, HYDROXYNORKETAMINE, TRKB, LHB, OPIOID)

NO_DISINHIBITION = Hypothesis(
    "null-no-disinhibition",
    "The drug reaches its receptors and nothing downstream can tell.",
    _OFF,
)
NO_MEMORY = Hypothesis(
    "null-no-memory",
    "No protein and no spine follows the pulse: the effect ends with the circuit.",
    {"drivers.memory": 0.0},
)
NULLS = (NO_DISINHIBITION, NO_MEMORY)


def hypothesis(name: str) -> Hypothesis:
    """Return a rival or null by name.

    Raises
    ------
    ModelError
        When there is none of that name.
    """
    known = {one.name: one for one in (*RIVALS, *NULLS)}
    if name not in known:
        raise ModelError(
            f'"{name}": no such hypothesis.{suggest(name, known)} '
            f"Hypotheses here: {', '.join(known)}."
        )
    return known[name]


def _is_driver(name: str) -> bool:
    return name.startswith("drivers.")


def mixture(
    hypotheses: Sequence[Hypothesis], weights: Sequence[float], *, name: str = ""
) -> Hypothesis:
    """Return hypotheses mixed by their weights.

    Gains keep the proportions of the weights and are calibrated together; any other driver that
    one sets lies between what they say of it, as an opioid gate half closed.

    Raises
    ------
    ModelError
        When weights do not fit the hypotheses, one is negative, or all are 0, or a hypothesis has
        no gain or replaces a mechanism.
    """
    lowest = min(weights, default=-1.0)
    if len(weights) != len(hypotheses) or lowest < 0.0 or not sum(weights) > 0.0:
        raise ModelError("a mixture needs one weight >= 0 for each hypothesis, not all of them 0.")
    for one in hypotheses:
        if not one.gains or one.mechanisms or not all(map(_is_driver, one.values)):
            raise ModelError(f'"{one.name}": only hypotheses made of drivers.* alone can be mixed.')
    whole = sum(weights)
    parts = [(one, w / whole) for one, w in zip(hypotheses, weights, strict=True) if w > 0.0]
    shares: dict[str, float] = {}
    values: dict[str, float] = {}
    for one, part in parts:
        for gain, share in one.gains.items():
            shares[gain] = shares.get(gain, 0.0) + part * share
        for key, value in one.values.items():
            values[key] = values.get(key, 0.0) + part * float(value)
    told = " + ".join(f"{part:.0%} {one.name}" for one, part in parts)
    needed = tuple(dict.fromkeys(name for one, _ in parts for name in one.modules))
    off = dict.fromkeys((gain for one in hypotheses for gain in one.gains), 0.0)
    return Hypothesis(
        name or told, f"A mixture: {told}.", {**off, **values}, shares=shares, modules=needed
    )
