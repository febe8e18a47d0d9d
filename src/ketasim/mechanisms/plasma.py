"""What a blood sample shows.

Assays of racemic ketamine report the sum of both enantiomers. The compartment model was fitted
mostly to arterial samples; most antidepressant trials drew venous blood, which comes back from
tissues that fill and empty late. Venous levels therefore follow arterial ones at a first-order
rate: below them during an infusion, above them after it. Left out: the same delay of the
metabolites.
"""

from ketasim.core.declare import Flow, Mechanism, Parameter, Quantity, Read, State, story_of
from ketasim.core.evidence import measured


def both(s, r):
    """The sum of the enantiomers."""
    return s + r


def arterial(ketamine, molar_mass):
    """Mass concentration in arterial plasma."""
    return ketamine * molar_mass


def follow(arterial, venous, k_venous):
    """Venous plasma, as most trials sampled it, follows arterial plasma."""
    return k_venous * (arterial - venous)


PLASMA = Mechanism(
    name="plasma",
    role="drug",
    reading=("venous", "brain"),
    story=story_of(__doc__),
    states=(
        State("venous", 0.0, "ng/mL", "ketamine in venous plasma", scale=100.0, short="plasma"),
    ),
    parameters=(
        Parameter("molar_mass", 237.73, "g/mol", (237.73, 237.73), measured("ketamine free base", "DrugBank"), "molar mass of ketamine"),
    ),
    reads=(
        Read("k_venous", "1/h", of="body.k_venous"),
        Read("s", "uM", of="pk_s.plasma"),
        Read("r", "uM", of="pk_r.plasma"),
        Read("s_norketamine", "uM", of="pk_s.plasma_norketamine"),
        Read("r_norketamine", "uM", of="pk_r.plasma_norketamine"),
        Read("s_hydroxynorketamine", "uM", of="pk_s.plasma_hydroxynorketamine"),
        Read("r_hydroxynorketamine", "uM", of="pk_r.plasma_hydroxynorketamine"),
        Read("s_brain", "uM", of="pk_s.brain"),
        Read("r_brain", "uM", of="pk_r.brain"),
    ),
    quantities=(
        Quantity(both, "uM", "ketamine in plasma, both enantiomers", "ketamine"),
        Quantity(both, "uM", "norketamine in plasma, both enantiomers", "norketamine", {"s": "s_norketamine", "r": "r_norketamine"}),
        Quantity(both, "uM", "hydroxynorketamine in plasma, both enantiomers", "hydroxynorketamine", {"s": "s_hydroxynorketamine", "r": "r_hydroxynorketamine"}),
        Quantity(both, "uM", "unbound ketamine in brain, both enantiomers", "brain", {"s": "s_brain", "r": "r_brain"}, short="brain"),
        Quantity(arterial, "ng/mL", "ketamine in arterial plasma"),
    ),
    flows=(Flow(follow, into="venous"),),
)  # fmt: skip
