"""The model: one list of mechanisms, read from dose to mood."""

from functools import cache

from ketasim.core.declare import Substance
from ketasim.core.model import Model
from ketasim.mechanisms.ampa import AMPA
from ketasim.mechanisms.bdnf import BDNF
from ketasim.mechanisms.body import BODY
from ketasim.mechanisms.circuit import CIRCUIT
from ketasim.mechanisms.drivers import DRIVERS
from ketasim.mechanisms.glutamate import GLUTAMATE
from ketasim.mechanisms.nmda import NMDA
from ketasim.mechanisms.opioid import OPIOID
from ketasim.mechanisms.outcome import OUTCOME
from ketasim.mechanisms.pharmacokinetics import PK_R, PK_S
from ketasim.mechanisms.plasma import PLASMA
from ketasim.mechanisms.spines import SPINES
from ketasim.mechanisms.stress import STRESS
from ketasim.mechanisms.translation import TRANSLATION
from ketasim.mechanisms.trkb import TRKB
from ketasim.models.panels import PANELS

_KETAMINE, _NORKETAMINE, _HYDROXYNORKETAMINE = 237.73, 223.70, 239.70

SUBSTANCES = (
    Substance("ketamine", _KETAMINE, (("S-ketamine", 0.5), ("R-ketamine", 0.5)), "racemic ketamine"),
    Substance("esketamine", _KETAMINE, (("S-ketamine", 1.0),), "(S)-ketamine"),
    Substance("arketamine", _KETAMINE, (("R-ketamine", 1.0),), "(R)-ketamine"),
    Substance("norketamine", _NORKETAMINE, (("S-norketamine", 0.5), ("R-norketamine", 0.5)), "racemic norketamine"),
    Substance("s-norketamine", _NORKETAMINE, (("S-norketamine", 1.0),), "(S)-norketamine"),
    Substance("r-norketamine", _NORKETAMINE, (("R-norketamine", 1.0),), "(R)-norketamine"),
    Substance("2s6s-hnk", _HYDROXYNORKETAMINE, (("(2S,6S)-hydroxynorketamine", 1.0),), "(2S,6S)-hydroxynorketamine"),
    Substance("2r6r-hnk", _HYDROXYNORKETAMINE, (("(2R,6R)-hydroxynorketamine", 1.0),), "(2R,6R)-hydroxynorketamine"),
)  # fmt: skip


@cache
def antidepressant() -> Model:
    """Return the default model: indirect disinhibition, every rival hypothesis switched off."""
    return Model(
        name="antidepressant",
        mechanisms=(
            BODY,
            PK_S,
            PK_R,
            PLASMA,
            DRIVERS,
            NMDA,
            CIRCUIT,
            GLUTAMATE,
            AMPA,
            BDNF,
            TRKB,
            TRANSLATION,
            SPINES,
            STRESS,
            OPIOID,
            OUTCOME,
        ),
        substances=SUBSTANCES,
        panels=PANELS,
    )
