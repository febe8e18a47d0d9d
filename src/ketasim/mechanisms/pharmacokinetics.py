"""One enantiomer from the dose to the brain.

A dose given into a vein arrives in the central compartment; given elsewhere it waits in a depot of
its own (muscle or skin, peritoneum, nose, gut) and is absorbed at a first-order rate. Of a nasal
dose a share crosses in the nose, more from a metered spray than from drops; the rest is swallowed.
What is swallowed, or absorbed from the peritoneum, passes the liver first: part survives, part
arrives as norketamine or hydroxynorketamine, the rest never reaches the blood. Two peripheral
compartments exchange with the central one. Venous blood comes back from tissues that fill and
empty late: its level follows the arterial one, below it while drug goes in, above it after. The liver turns ketamine into norketamine, and both
into hydroxynorketamine, which has a central and a peripheral compartment. Unbound drug in brain
follows unbound drug in plasma within minutes. What has left the body is counted in ``eliminated``,
so that every micromole given can be found again.

The enantiomers differ in clearance, in what survives by mouth and in how much becomes
hydroxynorketamine at once; the rest they share (``disposition``). Left out: saturation of metabolism at
anaesthetic doses and of the nose at large ones, dehydronorketamine, binding that changes with
concentration, and any change of one enantiomer's clearance by the other.
"""

from ketasim.core.declare import (
    Derived,
    Flow,
    Inlet,
    Knob,
    Mechanism,
    Parameter,
    Quantity,
    Read,
    State,
    story_of,
)
from ketasim.core.evidence import (
    Evidence,
    Grounds,
    by_source,
    fitted,
    seen,
)


def scaled(reference, scale):
    """A value for this body, from that of a 70 kg adult."""
    return reference * scale


def concentration(amount, volume):
    """Amount over the volume it fills."""
    return amount / volume


def by_product(spray, drops, nasal_drops):
    """A number by what was put into the nose, a metered spray or drops."""
    return spray + (drops - spray) * nasal_drops


def absorb(site, k_absorb, available):
    """The share of a depot that reaches the blood intact."""
    return k_absorb * site * available


def convert(site, k_absorb, available, as_metabolite):
    """The share of a depot that the liver turns into norketamine on its first pass."""
    return k_absorb * site * (1 - available) * as_metabolite


def convert_on(site, k_absorb, available, as_metabolite, further):
    """The share of a depot that the liver turns into hydroxynorketamine on its first pass."""
    return k_absorb * site * (1 - available) * (1 - as_metabolite) * further


def forgo(site, k_absorb, available, as_metabolite, further):
    """The share of a depot that is never seen in the blood."""
    return k_absorb * site * (1 - available) * (1 - as_metabolite) * (1 - further)


def waste(site, k_absorb, available):
    """The share of a depot without first pass that is never seen in the blood."""
    return k_absorb * site * (1 - available)


def swallow(site, k_absorb, available):
    """What runs from the nose into the gut."""
    return k_absorb * site * (1 - available)


def distribute(near, far, exchange, near_volume, far_volume):
    """Net exchange between blood and a peripheral compartment."""
    return exchange * (near / near_volume - far / far_volume)


def metabolise(level, clearance, share, activity):
    """Clearance by the enzymes into norketamine."""
    return clearance * level * share * activity


def metabolise_on(level, clearance, share, further, activity, deuteration):
    """Clearance by the enzymes into hydroxynorketamine; a heavier isotope slows it."""
    return clearance * level * (1 - share) * further * activity * (1 - deuteration)


def excrete(level, clearance, share, further, activity):
    """Clearance by the enzymes into products that are not followed."""
    return clearance * level * (1 - share) * (1 - further) * activity


def hydroxylate(level, clearance, share, sex, deuteration):
    """Norketamine into hydroxynorketamine; a heavier isotope slows it."""
    return clearance * level * share * sex * (1 - deuteration)


def clear(level, clearance):
    """Elimination in proportion to concentration."""
    return clearance * level


def clear_rest(level, clearance, share, sex):
    """Elimination of norketamine by all other ways."""
    return clearance * level * (1 - share) * sex


def equilibrate(brain, level, bath, k_brain, partition):
    """Unbound drug in brain follows unbound drug in plasma, or a bath around a slice."""
    return k_brain * (partition * level + bath - brain)


def follow(level, venous, k_venous):
    """Venous plasma follows arterial plasma."""
    return k_venous * (level - venous)


def in_brain(level, partition, bath):
    """A metabolite's unbound concentration in brain, at once in balance with plasma."""
    return partition * level + bath


_SHARED = {  # of both enantiomers, by unit
    "L": ("v_central", "v_fast", "v_slow", "v_norketamine", "v_hydroxynorketamine", "v_far"),
    "L/h": ("q_fast", "q_slow", "cl_norketamine", "cl_hydroxynorketamine", "q_hydroxynorketamine"),
    "1/h": (
        "k_tissue",
        "k_peritoneum",
        "k_nose",
        "k_drops",
        "k_gut",
        "k_site",
        "k_brain",
        "k_venous",
    ),
    "1": (
        *(
            "to_norketamine",
            "to_hydroxynorketamine",
            "f_tissue",
            "f_peritoneum",
            "f_nose",
            "f_drops",
        ),
        *("first_pass_norketamine", "first_pass_hydroxynorketamine", "f_site", "f_swallowed"),
        *("partition", "partition_norketamine", "partition_hydroxynorketamine"),
    ),
}
_DEPOTS = {
    "tissue": "ketamine waiting in muscle or under the skin",
    "peritoneum": "ketamine waiting in the peritoneum",
    "nose": "ketamine waiting in the nose",
    "gut": "ketamine waiting in the gut",
    "site_norketamine": "norketamine waiting where it was given",
    "site_hydroxynorketamine": "hydroxynorketamine waiting where it was injected",
    "gut_hydroxynorketamine": "hydroxynorketamine waiting in the gut",
}
_BODY = {
    "central": "ketamine in the central compartment",
    "fast": "ketamine in the fast peripheral compartment",
    "slow": "ketamine in the slow peripheral compartment",
    "norketamine": "norketamine in the body",
    "hydroxynorketamine": "hydroxynorketamine in its central compartment",
    "far": "hydroxynorketamine in its peripheral compartment",
    "eliminated": "everything of this enantiomer that has left the body",
}


def _ledger(
    clearance: tuple[float, Evidence], swallowed: tuple[float, Evidence], direct: float
) -> tuple[Parameter, ...]:
    return (
        Parameter("clearance_70", clearance[0], "L/h", (55.0, 115.0), clearance[1], "clearance of a 70 kg adult", grounds=Grounds(high=by_source("114 L/h in a population model of esketamine", "PerezRuixo2021"), seen=seen(21.6, 114.0, "21.6 L/h in carriers of two CYP2B6*6 alleles (second-hand) to 114 in a population model", "Li2015", "PerezRuixo2021"))),
        Parameter("f_gut", swallowed[0], "1", (0.05, 0.29), swallowed[1], "intact share from the gut", grounds=Grounds(seen=seen(0.08, 0.19, "8 % of an oral dose in one study, 15 and 19 in another, 18.6 in a population model", "Fanta2015", "Hasan2021", "PerezRuixo2021"), most=1.0)),
        Parameter("direct", direct, "1", (0.002, 0.9), fitted("exposure to hydroxynorketamine over that to ketamine, 1.7 (S) and 3.1 (R)", "Hasan2021"), "share of the clearance past norketamine that forms hydroxynorketamine at once", grounds=Grounds(most=1.0)),
    )  # fmt: skip


def _first_pass(site: str, k: str, f: str) -> tuple[Flow, ...]:
    direct = {"site": site, "k_absorb": k, "available": f}
    using = {**direct, "as_metabolite": "first_pass_norketamine"}
    on = {**using, "further": "first_pass_hydroxynorketamine"}
    return (
        Flow(absorb, out_of=site, into="central", using=direct),
        Flow(convert, out_of=site, into="norketamine", using=using),
        Flow(convert_on, out_of=site, into="hydroxynorketamine", using=on),
        Flow(forgo, out_of=site, into="eliminated", using=on),
    )


def _direct(site: str, k: str, f: str, into: str = "central") -> tuple[Flow, ...]:
    using = {"site": site, "k_absorb": k, "available": f}
    return (
        Flow(absorb, out_of=site, into=into, using=using),
        Flow(waste, out_of=site, into="eliminated", using=using),
    )


_NOSE = {"site": "nose", "k_absorb": "nasal_rate", "available": "nasal"}
_NORKETAMINE = {"level": "plasma", "share": "to_norketamine"}
_ONWARD = {"level": "plasma_norketamine", "clearance": "cl_norketamine", "share": "to_hydroxynorketamine"}  # fmt: skip
_FLOWS = (
    *_direct("tissue", "k_tissue", "f_tissue"),
    *_first_pass("peritoneum", "k_peritoneum", "f_peritoneum"),
    Flow(absorb, out_of="nose", into="central", using=_NOSE),
    Flow(swallow, out_of="nose", into="gut", using=_NOSE),
    *_first_pass("gut", "k_gut", "f_gut"),
    *_direct("site_norketamine", "k_site", "f_site", into="norketamine"),
    *_direct("site_hydroxynorketamine", "k_site", "f_site", into="hydroxynorketamine"),
    *_direct("gut_hydroxynorketamine", "k_gut", "f_swallowed", into="hydroxynorketamine"),
    Flow(distribute, out_of="central", into="fast", using={"near": "central", "far": "fast", "exchange": "q_fast", "near_volume": "v_central", "far_volume": "v_fast"}),
    Flow(distribute, out_of="central", into="slow", using={"near": "central", "far": "slow", "exchange": "q_slow", "near_volume": "v_central", "far_volume": "v_slow"}),
    Flow(metabolise, out_of="central", into="norketamine", using=_NORKETAMINE),
    Flow(metabolise_on, out_of="central", into="hydroxynorketamine", using={**_NORKETAMINE, "further": "direct"}),
    Flow(excrete, out_of="central", into="eliminated", using={**_NORKETAMINE, "further": "direct"}),
    Flow(hydroxylate, out_of="norketamine", into="hydroxynorketamine", using=_ONWARD),
    Flow(clear_rest, out_of="norketamine", into="eliminated", using=_ONWARD),
    Flow(clear, out_of="hydroxynorketamine", into="eliminated", using={"level": "plasma_hydroxynorketamine", "clearance": "cl_hydroxynorketamine"}),
    Flow(distribute, out_of="hydroxynorketamine", into="far", using={"near": "hydroxynorketamine", "exchange": "q_hydroxynorketamine", "near_volume": "v_hydroxynorketamine", "far_volume": "v_far"}),
    Flow(equilibrate, into="brain", using={"level": "plasma"}),
    Flow(follow, into="venous", using={"level": "plasma"}),
)  # fmt: skip

_QUANTITIES = (
    Quantity(by_product, "1", "share of a nasal dose absorbed in the nose", "nasal", {"spray": "f_nose", "drops": "f_drops"}),
    Quantity(by_product, "1/h", "clearing of the nose", "nasal_rate", {"spray": "k_nose", "drops": "k_drops"}),
    Quantity(concentration, "uM", "ketamine in arterial plasma", "plasma", {"amount": "central", "volume": "v_central"}),
    Quantity(concentration, "uM", "norketamine in plasma", "plasma_norketamine", {"amount": "norketamine", "volume": "v_norketamine"}),
    Quantity(concentration, "uM", "hydroxynorketamine in plasma", "plasma_hydroxynorketamine", {"amount": "hydroxynorketamine", "volume": "v_hydroxynorketamine"}),
    Quantity(in_brain, "uM", "unbound norketamine in brain", "brain_norketamine", {"level": "plasma_norketamine", "partition": "partition_norketamine", "bath": "bath_norketamine"}),
    Quantity(in_brain, "uM", "unbound hydroxynorketamine in brain", "brain_hydroxynorketamine", {"level": "plasma_hydroxynorketamine", "partition": "partition_hydroxynorketamine", "bath": "bath_hydroxynorketamine"}),
)  # fmt: skip


def _inlets(ketamine: str, norketamine: str, hydroxynorketamine: str) -> tuple[Inlet, ...]:
    depots = {
        "im": "tissue",
        "sc": "tissue",
        "ip": "peritoneum",
        "intranasal": "nose",
        "oral": "gut",
    }
    routes = {"iv": "central", **depots, "bath": "bath"}
    inlets = [Inlet(ketamine, route, into) for route, into in routes.items()]
    for substance, pool in (
        (norketamine, "norketamine"),
        (hydroxynorketamine, "hydroxynorketamine"),
    ):
        inlets += [Inlet(substance, "iv", pool), Inlet(substance, "bath", f"bath_{pool}")]
        inlets += [Inlet(substance, route, f"site_{pool}") for route in depots if route != "oral"]
    inlets.append(Inlet(norketamine, "oral", "site_norketamine"))
    inlets.append(Inlet(hydroxynorketamine, "oral", "gut_hydroxynorketamine"))
    return tuple(inlets)


def _enantiomer(
    name: str, ledger: tuple[Parameter, ...], substances: tuple[str, str, str]
) -> Mechanism:
    pools = {**_DEPOTS, **_BODY}
    return Mechanism(
        name=name,
        role="drug",
        story=story_of(__doc__),
        states=(
            *(State(pool, 0.0, "umol", meaning) for pool, meaning in pools.items()),
            State("brain", 0.0, "uM", "unbound ketamine in brain"),
            State("venous", 0.0, "uM", "ketamine in venous plasma"),
        ),
        parameters=ledger,
        reads=(
            Read("clearance_scale", "1", of="body.clearance_scale"),
            Read("activity", "1", of="disposition.activity"),
            Read("sex", "1", of="disposition.sex"),
            Read("deuteration", "1", of="body.deuteration"),
            Read("nasal_drops", "1", of="body.nasal_drops"),
            *(Read(own, unit, f"disposition.{own}") for unit, many in _SHARED.items() for own in many),
        ),
        knobs=(
            Knob("bath", 0.0, "uM", (0.0, 1e4), "ketamine around a slice"),
            Knob("bath_norketamine", 0.0, "uM", (0.0, 1e4), "norketamine around a slice"),
            Knob(
                "bath_hydroxynorketamine",
                0.0,
                "uM",
                (0.0, 1e4),
                "hydroxynorketamine around a slice",
            ),
        ),
        derived=(
            Derived(scaled, "L/h", "clearance of ketamine", "clearance", {"reference": "clearance_70", "scale": "clearance_scale"}),
        ),
        quantities=_QUANTITIES,
        flows=_FLOWS,
        inlets=_inlets(*substances),
        conserved=(tuple(pools),),
    )  # fmt: skip


PK_S = _enantiomer(
    "pk_s",
    _ledger(
        (
            89.2,
            fitted(
                "76 to 114 L/h in four studies",
                "Fanta2015",
                "Hasan2021",
                "Wang2019",
                "PerezRuixo2021",
            ),
        ),
        (
            0.104,
            fitted("8, 15 and 18.6 % by mouth", "Fanta2015", "Hasan2021", "PerezRuixo2021"),
        ),
        0.00775,
    ),
    ("S-ketamine", "S-norketamine", "(2S,6S)-hydroxynorketamine"),
)
PK_R = _enantiomer(
    "pk_r",
    _ledger(
        (
            82.7,
            fitted(
                "66 and 92 L/h in two studies, 79 of the racemate",
                "Wang2019",
                "Hasan2021",
                "Kamp2020",
            ),
        ),
        (
            0.159,
            fitted(
                "19 % by mouth; 11-17 % of drops that are mostly swallowed",
                "Hasan2021",
                "Pharmacotherapy2022",
            ),
        ),
        0.0385,
    ),
    ("R-ketamine", "R-norketamine", "(2R,6R)-hydroxynorketamine"),
)
