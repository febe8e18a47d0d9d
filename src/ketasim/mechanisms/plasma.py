"""What a blood sample shows.

Assays of racemic ketamine report the sum of both enantiomers. The compartment model was fitted
mostly to arterial samples; most antidepressant trials drew venous blood, which lags behind. Both
sites are given. Left out: the delay of the metabolites in venous blood.
"""

from ketasim.core.declare import Mechanism, Parameter, Quantity, Read, story_of
from ketasim.core.evidence import measured


def both(s, r):
    """The sum of the enantiomers."""
    return s + r


def arterial(ketamine, molar_mass):
    """Mass concentration in arterial plasma."""
    return ketamine * molar_mass


def venous(s_venous, r_venous, molar_mass):
    """Mass concentration in venous plasma, as most trials sampled it."""
    return (s_venous + r_venous) * molar_mass


PLASMA = Mechanism(
    name="plasma",
    role="drug",
    reading=("venous", "brain"),
    story=story_of(__doc__),
    parameters=(
        Parameter("molar_mass", 237.73, "g/mol", (237.73, 237.73), measured("ketamine free base", "DrugBank"), "molar mass of ketamine"),
    ),
    reads=(
        Read("s", "uM", of="pk_s.plasma"),
        Read("r", "uM", of="pk_r.plasma"),
        Read("s_norketamine", "uM", of="pk_s.plasma_norketamine"),
        Read("r_norketamine", "uM", of="pk_r.plasma_norketamine"),
        Read("s_hydroxynorketamine", "uM", of="pk_s.plasma_hydroxynorketamine"),
        Read("r_hydroxynorketamine", "uM", of="pk_r.plasma_hydroxynorketamine"),
        Read("s_venous", "uM", of="pk_s.venous"),
        Read("r_venous", "uM", of="pk_r.venous"),
        Read("s_brain", "uM", of="pk_s.brain"),
        Read("r_brain", "uM", of="pk_r.brain"),
    ),
    quantities=(
        Quantity(both, "uM", "ketamine in plasma, both enantiomers", "ketamine"),
        Quantity(both, "uM", "norketamine in plasma, both enantiomers", "norketamine", {"s": "s_norketamine", "r": "r_norketamine"}),
        Quantity(both, "uM", "hydroxynorketamine in plasma, both enantiomers", "hydroxynorketamine", {"s": "s_hydroxynorketamine", "r": "r_hydroxynorketamine"}),
        Quantity(both, "uM", "unbound ketamine in brain, both enantiomers", "brain", {"s": "s_brain", "r": "r_brain"}, short="brain"),
        Quantity(arterial, "ng/mL", "ketamine in arterial plasma"),
        Quantity(venous, "ng/mL", "ketamine in venous plasma", short="plasma"),
    ),
)  # fmt: skip
