"""Rival accounts of ketamine's action, and null models, as small edits of the one model.

A hypothesis names parameter values; ``strength`` names the gain that is calibrated, between 0 and
1, to the same reference effect before rivals are compared. Nulls have none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ketasim.core.model import Model
from ketasim.errors import ModelError, suggest


@dataclass(frozen=True)
class Hypothesis:
    """An account as an edit: a name, what it says, parameter values, and the gain to calibrate."""

    name: str
    story: str
    values: Mapping[str, str | float] = field(default_factory=dict)
    strength: str = ""

    def model(self, base: Model, gain: float | None = None) -> Model:
        """Return the base model under this account, its gain set when one is given.

        Raises
        ------
        ModelError
            When a name is not a parameter of the base model.
        """
        values = dict(self.values)
        if gain is not None and self.strength:
            values[self.strength] = gain
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
    {"translation.gain_proteins": 0.0, "spines.gain_formation": 0.0},
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
            f'"{name}": no such account.{suggest(name, known)} Accounts here: {", ".join(known)}.'
        )
    return known[name]
