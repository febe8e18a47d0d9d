"""The model: one list of mechanisms, read from dose to mood, and the panels that show it."""

from functools import cache

from ketasim.core.declare import Substance
from ketasim.core.describe import Curve, Panel
from ketasim.core.model import Model
from ketasim.mechanisms.ampa import AMPA
from ketasim.mechanisms.bdnf import BDNF
from ketasim.mechanisms.body import BODY
from ketasim.mechanisms.circuit import CIRCUIT
from ketasim.mechanisms.disposition import DISPOSITION
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
from ketasim.models.modules import MODULES, with_modules

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
def antidepressant(*modules: str) -> Model:
    """Return the default model: indirect disinhibition, every rival hypothesis switched off.

    Parameters
    ----------
    modules
        Systems beside it, by name: ``"safety"``; see :data:`ketasim.models.MODULES`.

    Raises
    ------
    ModelError
        When there is no module of a name.
    """
    return with_modules(_core(), modules)


def whole() -> Model:
    """Return the model with every module."""
    return antidepressant(*MODULES)


@cache
def _core() -> Model:
    return Model(
        name="antidepressant",
        mechanisms=(
            BODY,
            DISPOSITION,
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


PANELS = (
    Panel("Ketamine in plasma", "ng/mL", "ng/mL", (
        Curve("plasma.venous", "venous"),
        Curve("plasma.arterial", "arterial"),
    ), from_zero=True, drug=True),
    Panel("Unbound in brain", "µM", "uM", (
        Curve("pk_s.brain", "S-ketamine", "blue"),
        Curve("pk_r.brain", "R-ketamine", "vermilion", "--"),
        Curve("pk_s.brain_hydroxynorketamine", "S-HNK", "sky"),
        Curve("pk_r.brain_hydroxynorketamine", "R-HNK", "orange", "--"),
    ), from_zero=True, drug=True),
    Panel("NMDA block", "fraction", "1", (
        Curve("nmda.interneuron_block", "interneurons"),
        Curve("nmda.pyramidal_block", "pyramidal"),
        Curve("nmda.resting_block", "resting"),
        Curve("nmda.trapped", "trapped"),
    ), from_zero=True),
    Panel("GABA and firing", "× rest", "1", (
        Curve("circuit.gaba", "GABA"),
        Curve("circuit.pyramidal_rate", "pyramidal firing"),
    )),
    Panel("Glutamate", "× rest", "1", (
        Curve("glutamate.relative", "dialysate"),
        Curve("glutamate.synaptic", "at receptors"),
    )),
    Panel("AMPA", "× rest", "1", (
        Curve("ampa.current", "current"),
        Curve("ampa.number", "surface"),
    )),
    Panel("BDNF and TrkB", "× rest", "1", (
        Curve("bdnf.extracellular", "BDNF"),
        Curve("trkb.signal", "TrkB signal"),
    )),
    Panel("mTORC1 and translation", "× rest", "1", (
        Curve("translation.mtorc1", "mTORC1"),
        Curve("translation.proteins", "proteins"),
        Curve("translation.arc", "Arc"),
    )),
    Panel("Phosphorylated eEF2", "× rest", "1", (Curve("translation.eef2"),)),
    Panel("Spines", "per site", "1", (
        Curve("spines.total", "all", "black"),
        Curve("spines.reformed", "re-formed", "green"),
        Curve("spines.original", "original", "blue"),
        Curve("spines.labile", "labile", "orange"),
        Curve("spines.stable", "stable", "vermilion"),
    ), from_zero=True, share=1.6),
    Panel("Outcome", "× healthy", "1", (
        Curve("outcome.function", "function"),
        Curve("outcome.mood", "mood", dash="--"),
        Curve("stress.load", "stress load", "grey"),
    )),
    Panel("Depression score (MADRS)", "points", "points", (Curve("outcome.score"),), human=True),
)  # fmt: skip
