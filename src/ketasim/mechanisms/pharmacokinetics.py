"""One enantiomer from the dose to the brain.

A dose given into a vein arrives in the central compartment; given elsewhere it waits in a depot of
its own (muscle, skin, peritoneum, nose, gut) and is absorbed at a first-order rate. What is
swallowed, or absorbed from the peritoneum, passes the liver first: part survives, part arrives as
norketamine, the rest never reaches the blood. Two peripheral compartments exchange with the
central one. The liver turns ketamine into norketamine and that into hydroxynorketamine. Unbound
drug in brain follows unbound drug in plasma within minutes. What has left the body is counted in
``eliminated``, so that every micromole given can be found again.

Left out: saturation of metabolism at anaesthetic doses, dehydronorketamine, binding that changes
with concentration, and any change of one enantiomer's clearance by the other.
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
    assumed,
    by_source,
    by_test,
    derived,
    measured,
    seen,
)


def scaled(reference, scale):
    """A value for this body, from that of a 70 kg adult."""
    return reference * scale


def concentration(amount, volume):
    """Amount over the volume it fills."""
    return amount / volume


def absorb(site, k_absorb, available):
    """The share of a depot that reaches the blood intact."""
    return k_absorb * site * available


def convert(site, k_absorb, available, as_metabolite):
    """The share of a depot that the liver turns into norketamine on its first pass."""
    return k_absorb * site * (1 - available) * as_metabolite


def forgo(site, k_absorb, available, as_metabolite):
    """The share of a depot that is never seen in the blood."""
    return k_absorb * site * (1 - available) * (1 - as_metabolite)


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
    """Clearance by the enzymes into the next metabolite."""
    return clearance * level * share * activity


def excrete(level, clearance, share, activity):
    """Clearance by the enzymes into products that are not followed."""
    return clearance * level * (1 - share) * activity


def hydroxylate(level, clearance, share, activity, deuteration):
    """Norketamine into hydroxynorketamine; a heavier isotope slows it."""
    return clearance * level * share * activity * (1 - deuteration)


def clear(level, clearance):
    """Elimination in proportion to concentration."""
    return clearance * level


def clear_rest(level, clearance, share):
    """Elimination of norketamine by all other ways."""
    return clearance * level * (1 - share)


def equilibrate(brain, level, bath, k_brain, partition):
    """Unbound drug in brain follows unbound drug in plasma, or a bath around a slice."""
    return k_brain * (partition * level + bath - brain)


def in_brain(level, partition, bath):
    """A metabolite's unbound concentration in brain, at once in balance with plasma."""
    return partition * level + bath


_SCALED = {
    "clearance": ("clearance_70", "clearance_scale", "L/h", "clearance of ketamine"),
    "q_fast": ("q_fast_70", "clearance_scale", "L/h", "exchange with the fast compartment"),
    "q_slow": ("q_slow_70", "clearance_scale", "L/h", "exchange with the slow compartment"),
    "v_central": ("v_central_70", "volume_scale", "L", "central volume"),
    "v_fast": ("v_fast_70", "volume_scale", "L", "fast peripheral volume"),
    "v_slow": ("v_slow_70", "volume_scale", "L", "slow peripheral volume"),
    "cl_norketamine": ("cl_norketamine_70", "clearance_scale", "L/h", "clearance of norketamine"),
    "v_norketamine": ("v_norketamine_70", "volume_scale", "L", "volume of norketamine"),
    "cl_hydroxynorketamine": ("cl_hydroxynorketamine_70", "clearance_scale", "L/h", "clearance of hydroxynorketamine"),
    "v_hydroxynorketamine": ("v_hydroxynorketamine_70", "volume_scale", "L", "volume of hydroxynorketamine"),
}  # fmt: skip

_DEPOTS = {
    "muscle": "ketamine waiting in muscle",
    "skin": "ketamine waiting under the skin",
    "peritoneum": "ketamine waiting in the peritoneum",
    "nose": "ketamine waiting in the nose",
    "gut": "ketamine waiting in the gut",
    "site_norketamine": "norketamine waiting where it was given",
    "site_hydroxynorketamine": "hydroxynorketamine waiting where it was given",
}
_BODY = {
    "central": "ketamine in the central compartment",
    "fast": "ketamine in the fast peripheral compartment",
    "slow": "ketamine in the slow peripheral compartment",
    "norketamine": "norketamine in the body",
    "hydroxynorketamine": "hydroxynorketamine in the body",
    "eliminated": "everything of this enantiomer that has left the body",
}


def _ledger(clearance: float, clearance_evidence: Evidence) -> tuple[Parameter, ...]:
    kamp = measured("three-compartment meta-analysis, Table 2", "Kamp2020")
    return (
        Parameter("clearance_70", clearance, "L/h", (55.0, 115.0), clearance_evidence, "clearance of a 70 kg adult", grounds=Grounds(high=by_source("114 L/h in a population model of esketamine", "PerezRuixo2021"), seen=seen(21.6, 114.0, "21.6 L/h in carriers of two CYP2B6*6 alleles (second-hand) to 114 in a population model", "Li2015", "PerezRuixo2021"))),
        Parameter("v_central_70", 25.0, "L", (15.0, 40.0), kamp, "central volume of a 70 kg adult"),
        Parameter("v_fast_70", 56.0, "L", (35.0, 90.0), kamp, "fast peripheral volume of a 70 kg adult"),
        Parameter("v_slow_70", 157.0, "L", (100.0, 230.0), kamp, "slow peripheral volume of a 70 kg adult", grounds=Grounds(seen=seen(157.0, 671.0, "157 L pooled; all volumes 752 L in a population model, less 81 L of the other two", "Kamp2020", "PerezRuixo2021"))),
        Parameter("q_fast_70", 161.0, "L/h", (100.0, 240.0), kamp, "exchange with the fast compartment, 70 kg"),
        Parameter("q_slow_70", 79.0, "L/h", (50.0, 120.0), kamp, "exchange with the slow compartment, 70 kg"),
        Parameter("to_norketamine", 0.8, "1", (0.5, 0.95), assumed("N-demethylation is the main path; share not in the evidence"), "share of clearance that forms norketamine", grounds=Grounds(most=1.0)),
        Parameter("cl_norketamine_70", 63.0, "L/h", (40.0, 110.0), derived("places the oral norketamine to ketamine exposure ratio near 16.5", "Fanta2015"), "clearance of norketamine, 70 kg", grounds=Grounds(seen=seen(38.0, 63.0, "apparent 38 L/h in a population model, 63 from the exposure ratio", "PerezRuixo2021", "Fanta2015"))),
        Parameter("v_norketamine_70", 190.0, "L", (90.0, 400.0), assumed("half-life of about two hours as for the parent"), "volume of norketamine, 70 kg"),
        Parameter("to_hydroxynorketamine", 0.5, "1", (0.2, 0.8), assumed("hydroxynorketamine is a major later metabolite; share not in the evidence"), "share of norketamine clearance that forms hydroxynorketamine", grounds=Grounds(most=1.0)),
        Parameter("cl_hydroxynorketamine_70", 12.6, "L/h", (10.5, 60.0), derived("rat 704 mL/h/kg scaled from 0.3 to 70 kg by weight^0.75", "Moaddel2015HNK"), "clearance of hydroxynorketamine, 70 kg", grounds=Grounds(low=by_test("was 6, so that no draw keeps hydroxynorketamine for a month"))),
        Parameter("v_hydroxynorketamine_70", 515.0, "L", (300.0, 620.0), derived("rat 7352 mL/kg times 70 kg", "Moaddel2015HNK"), "volume of hydroxynorketamine, 70 kg", grounds=Grounds(low=by_test("was 200, so that no draw keeps hydroxynorketamine for a month"), high=by_test("was 800, so that no draw keeps hydroxynorketamine for a month"))),
        Parameter("k_muscle", 4.0, "1/h", (1.5, 10.0), assumed("peak some 15-20 min after an intramuscular dose"), "absorption from muscle"),
        Parameter("f_muscle", 0.93, "1", (0.85, 1.0), measured("bioavailability i.m. 93 %", "Zanos2018"), "intact share from muscle", grounds=Grounds(most=1.0)),
        Parameter("k_skin", 3.0, "1/h", (1.0, 8.0), assumed("somewhat slower than muscle"), "absorption from under the skin"),
        Parameter("f_skin", 0.9, "1", (0.8, 1.0), assumed("near that of muscle"), "intact share from under the skin", grounds=Grounds(most=1.0)),
        Parameter("k_peritoneum", 6.0, "1/h", (3.0, 15.0), assumed("rodent plasma peaks within 10-15 min of an i.p. dose"), "absorption from the peritoneum"),
        Parameter("f_peritoneum", 0.5, "1", (0.3, 0.9), assumed("partly a first pass through the liver"), "intact share from the peritoneum", grounds=Grounds(most=1.0)),
        Parameter("k_nose", 5.0, "1/h", (2.0, 10.0), derived("peak at 16 min in blood", "Pharmacotherapy2022"), "absorption from the nose"),
        Parameter("f_nose", 0.4, "1", (0.05, 0.5), derived("nasal bioavailability 48 % less what the swallowed part adds", "SpravatoLabel"), "share of a nasal dose absorbed in the nose", grounds=Grounds(seen=seen(0.11, 0.54, "11 % of a nasal dose of 50 mg to 54 % absorbed in the nose", "Pharmacotherapy2022", "PerezRuixo2021"), most=1.0)),
        Parameter("k_gut", 2.0, "1/h", (0.7, 4.0), assumed("peak about half an hour to an hour after an oral dose"), "absorption from the gut"),
        Parameter("f_gut", 0.08, "1", (0.05, 0.24), measured("oral S-ketamine bioavailability 8 %", "Fanta2015"), "intact share from the gut", grounds=Grounds(seen=seen(0.08, 0.19, "8 % of an oral dose in one study, 15 and 19 in another, 18.6 in a population model", "Fanta2015", "Hasan2021", "PerezRuixo2021"), most=1.0)),
        Parameter("first_pass_norketamine", 0.9, "1", (0.6, 1.0), derived("oral norketamine to ketamine exposure ratio 16.5", "Fanta2015"), "share of the first-pass loss that arrives as norketamine", grounds=Grounds(most=1.0)),
        Parameter("k_site", 4.0, "1/h", (1.0, 15.0), assumed("as ketamine from muscle"), "absorption of a metabolite given as itself"),
        Parameter("f_site", 0.5, "1", (0.4, 1.0), measured("hydroxynorketamine oral bioavailability 46-52 % in mouse", "Highland2019"), "intact share of a metabolite given as itself", grounds=Grounds(seen=seen(0.42, 0.58, "46-52 % in mouse, 42 in rat, 58 in dog", "Highland2019"), most=1.0)),
        Parameter("k_brain", 20.0, "1/h", (8.0, 60.0), assumed("brain follows plasma within minutes; under a minute in rat"), "equilibration with brain"),
        Parameter("partition", 0.56, "1", (0.4, 0.9), derived("unbound fraction in plasma, 43-45 % being bound; unbound drug taken to cross freely", "SpravatoLabel"), "unbound brain over total plasma", grounds=Grounds(most=1.0)),
        Parameter("partition_norketamine", 0.11, "1", (0.05, 0.5), derived("brain to plasma ratio 4-6 times lower than ketamine's", "SpravatoLabel"), "unbound brain norketamine over total plasma"),
        Parameter("partition_hydroxynorketamine", 1.0, "1", (0.4, 2.0), assumed("hippocampal fluid and plasma of similar size after hydroxynorketamine"), "unbound brain hydroxynorketamine over total plasma"),
    )  # fmt: skip


def _first_pass(site: str, k: str, f: str) -> tuple[Flow, ...]:
    using = {"site": site, "k_absorb": k, "available": f, "as_metabolite": "first_pass_norketamine"}
    direct = {"site": site, "k_absorb": k, "available": f}
    return (
        Flow(absorb, out_of=site, into="central", using=direct),
        Flow(convert, out_of=site, into="norketamine", using=using),
        Flow(forgo, out_of=site, into="eliminated", using=using),
    )


def _direct(site: str, k: str, f: str, into: str = "central") -> tuple[Flow, ...]:
    using = {"site": site, "k_absorb": k, "available": f}
    return (
        Flow(absorb, out_of=site, into=into, using=using),
        Flow(waste, out_of=site, into="eliminated", using=using),
    )


_NOSE = {"site": "nose", "k_absorb": "k_nose", "available": "f_nose"}
_FLOWS = (
    *_direct("muscle", "k_muscle", "f_muscle"),
    *_direct("skin", "k_skin", "f_skin"),
    *_first_pass("peritoneum", "k_peritoneum", "f_peritoneum"),
    Flow(absorb, out_of="nose", into="central", using=_NOSE),
    Flow(swallow, out_of="nose", into="gut", using=_NOSE),
    *_first_pass("gut", "k_gut", "f_gut"),
    *_direct("site_norketamine", "k_site", "f_site", into="norketamine"),
    *_direct("site_hydroxynorketamine", "k_site", "f_site", into="hydroxynorketamine"),
    Flow(distribute, out_of="central", into="fast", using={"near": "central", "far": "fast", "exchange": "q_fast", "near_volume": "v_central", "far_volume": "v_fast"}),
    Flow(distribute, out_of="central", into="slow", using={"near": "central", "far": "slow", "exchange": "q_slow", "near_volume": "v_central", "far_volume": "v_slow"}),
    Flow(metabolise, out_of="central", into="norketamine", using={"level": "plasma", "share": "to_norketamine"}),
    Flow(excrete, out_of="central", into="eliminated", using={"level": "plasma", "share": "to_norketamine"}),
    Flow(hydroxylate, out_of="norketamine", into="hydroxynorketamine", using={"level": "plasma_norketamine", "clearance": "cl_norketamine", "share": "to_hydroxynorketamine"}),
    Flow(clear_rest, out_of="norketamine", into="eliminated", using={"level": "plasma_norketamine", "clearance": "cl_norketamine", "share": "to_hydroxynorketamine"}),
    Flow(clear, out_of="hydroxynorketamine", into="eliminated", using={"level": "plasma_hydroxynorketamine", "clearance": "cl_hydroxynorketamine"}),
    Flow(equilibrate, into="brain", using={"level": "plasma"}),
)  # fmt: skip

_QUANTITIES = (
    Quantity(concentration, "uM", "ketamine in plasma", "plasma", {"amount": "central", "volume": "v_central"}),
    Quantity(concentration, "uM", "norketamine in plasma", "plasma_norketamine", {"amount": "norketamine", "volume": "v_norketamine"}),
    Quantity(concentration, "uM", "hydroxynorketamine in plasma", "plasma_hydroxynorketamine", {"amount": "hydroxynorketamine", "volume": "v_hydroxynorketamine"}),
    Quantity(in_brain, "uM", "unbound norketamine in brain", "brain_norketamine", {"level": "plasma_norketamine", "partition": "partition_norketamine", "bath": "bath_norketamine"}),
    Quantity(in_brain, "uM", "unbound hydroxynorketamine in brain", "brain_hydroxynorketamine", {"level": "plasma_hydroxynorketamine", "partition": "partition_hydroxynorketamine", "bath": "bath_hydroxynorketamine"}),
)  # fmt: skip


def _inlets(ketamine: str, norketamine: str, hydroxynorketamine: str) -> tuple[Inlet, ...]:
    depots = {"im": "muscle", "sc": "skin", "ip": "peritoneum", "intranasal": "nose", "oral": "gut"}
    routes = {"iv": "central", **depots, "bath": "bath"}
    inlets = [Inlet(ketamine, route, into) for route, into in routes.items()]
    for substance, pool in (
        (norketamine, "norketamine"),
        (hydroxynorketamine, "hydroxynorketamine"),
    ):
        inlets += [Inlet(substance, "iv", pool), Inlet(substance, "bath", f"bath_{pool}")]
        inlets += [Inlet(substance, route, f"site_{pool}") for route in depots]
    return tuple(inlets)


def _enantiomer(
    name: str, clearance: float, evidence: Evidence, substances: tuple[str, str, str]
) -> Mechanism:
    pools = {**_DEPOTS, **_BODY}
    return Mechanism(
        name=name,
        role="drug",
        story=story_of(__doc__),
        states=(
            *(State(pool, 0.0, "umol", meaning) for pool, meaning in pools.items()),
            State("brain", 0.0, "uM", "unbound ketamine in brain"),
        ),
        parameters=_ledger(clearance, evidence),
        reads=(
            Read("clearance_scale", "1", of="body.clearance_scale"),
            Read("volume_scale", "1", of="body.volume_scale"),
            Read("activity", "1", of="body.cyp_activity"),
            Read("deuteration", "1", of="body.deuteration"),
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
        derived=tuple(
            Derived(scaled, text, meaning, own, {"reference": source, "scale": scale})
            for own, (source, scale, text, meaning) in _SCALED.items()
        ),
        quantities=_QUANTITIES,
        flows=_FLOWS,
        inlets=_inlets(*substances),
        conserved=(tuple(pools),),
    )


PK_S = _enantiomer(
    "pk_s",
    95.0,
    measured("clearance of S-ketamine", "Fanta2015"),
    ("S-ketamine", "S-norketamine", "(2S,6S)-hydroxynorketamine"),
)
PK_R = _enantiomer(
    "pk_r",
    75.0,
    derived("the racemate's 84 L/h shared so that S has 95", "Kamp2020", "Fanta2015"),
    ("R-ketamine", "R-norketamine", "(2R,6R)-hydroxynorketamine"),
)
