"""The panels of the default figure, from drug to mood."""

from ketasim.core.describe import Curve, Panel

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
    Panel("Extracellular glutamate", "µM", "uM", (Curve("glutamate.extracellular"),)),
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
    Panel("Phosphorylated eEF2", "fraction", "1", (Curve("translation.eef2"),)),
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
    )),
    Panel("Depression score (MADRS)", "points", "points", (Curve("outcome.score"),), human=True),
)  # fmt: skip
