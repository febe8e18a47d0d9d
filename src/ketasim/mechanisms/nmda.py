"""NMDA receptors and the drugs that block their pore.

All channel blockers compete for one site, so loads (concentration over affinity) add and the
blocked fraction is load / (1 + load): never a product of independent occupancies. Each receptor
carries GluN2A, 2B or 2D. GluN2D holds magnesium less tightly and ketamine more weakly than 2A and
2B; memantine prefers it. Depolarisation expels magnesium, and less steeply the drugs themselves.
Where magnesium leaves more current through a receptor, that receptor counts for more of what its
cell receives and of what the drug can take from it. A blocker enters and leaves an open pore, so
the rate goes with gating while the balance does not, except for what slips out of a closed channel
(partial trapping), which costs a seldom-opened receptor part of its block. A small pool answers to
ambient glutamate at rest, and in the lateral habenula block is trapped long after the drug has gone.

Left out: GluN2C, which a reporter shows in cortical astrocytes but not in cortical interneurons;
receptors of two different GluN2 subunits; desensitisation; calcium through the receptor; and the
compensation by which a chronic knock-out keeps the cell's excitation (a knocked-out receptor is
only absent as a target of the drug).
"""

from ketasim.core.declare import (
    Derived,
    Flow,
    Knob,
    Mechanism,
    Parameter,
    Quantity,
    Read,
    State,
    story_of,
)
from ketasim.core.evidence import (
    Grounds,
    assumed,
    by_source,
    by_test,
    derived,
    fitted,
    measured,
    seen,
)
from ketasim.core.maths import exp


def pair(s, r, k_s, k_r):
    """Load of a chiral blocker on the pore: concentration over affinity, summed."""
    return s / k_s + r / k_r


def mirrored(s, r, k):
    """Load of a blocker whose two forms are taken to bind alike."""
    return (s + r) / k


def ketamine_load(parent, norketamine, hydroxynorketamine):
    """Load of ketamine and its metabolites together, without magnesium."""
    return parent + norketamine + hydroxynorketamine


def held(amount, voltage, reference_voltage, drug_slope, gating, trapping):
    """What voltage draws into the pore, less what slips out of closed channels."""
    keep = gating / (gating + (1 - trapping) * (1 - gating))
    return amount * exp((reference_voltage - voltage) / drug_slope) * keep


def trapped_whole(amount, k, voltage, reference_voltage, drug_slope):
    """Load that voltage draws into the pore of a blocker that closed channels never release."""
    return amount / k * exp((reference_voltage - voltage) / drug_slope)


def opening(magnesium, k_magnesium, voltage, reference_voltage, voltage_slope):
    """Share of receptors of one kind that magnesium leaves to current and to drug."""
    return 1 / (1 + magnesium / k_magnesium * exp((reference_voltage - voltage) / voltage_slope))


def load(ketamine, memantine, mk801, k_memantine, opening):
    """Load of all blockers on GluN2A or GluN2B."""
    return (ketamine + memantine / k_memantine + mk801) * opening


def load_glun2d(ketamine, memantine, mk801, weaker_glun2d, k_memantine_glun2d, opening):
    """Load of all blockers on GluN2D, which ketamine blocks less readily."""
    return (ketamine / weaker_glun2d + memantine / k_memantine_glun2d + mk801) * opening


def current(share, opening):
    """Current through receptors of one kind."""
    return share * opening


def current_glun2a(glun2b, glun2d, opening):
    """Current through GluN2A, where GluN2D is present."""
    return (1 - glun2b) * (1 - glun2d) * opening


def current_glun2b(glun2b, glun2d, opening):
    """Current through GluN2B, where GluN2D is present."""
    return glun2b * (1 - glun2d) * opening


def rest_of(share):
    """Receptors of the other kind, where there are two."""
    return 1 - share


def remaining(amount, knockout):
    """What a knock-out of one subunit leaves of it."""
    return amount * (1 - knockout)


def caught(amount, felt):
    """Current of one kind that the blockers take."""
    return amount * felt / (1 + felt)


def spared(amount, felt):
    """Current of one kind that the blockers leave."""
    return amount / (1 + felt)


def pooled(caught_a, caught_b, spared_a, spared_b):
    """Load at which one kind of receptor would be blocked as far as these two together."""
    return (caught_a + caught_b) / (spared_a + spared_b)


def pooled_three(caught_a, caught_b, caught_d, spared_a, spared_b, spared_d):
    """Load at which one kind of receptor would be blocked as far as these three together."""
    return (caught_a + caught_b + caught_d) / (spared_a + spared_b + spared_d)


def bind(felt, blocked, k_exchange, gating):
    """Blockers enter open pores."""
    return k_exchange * gating * felt * (1 - blocked)


def escape(blocked, k_exchange, gating):
    """Blockers leave open pores."""
    return k_exchange * gating * blocked


def trap(felt, trapped, k_trap, off):
    """Block is locked into channels that close upon it."""
    return k_trap * felt * (1 - trapped) * (1 - off)


def release(trapped, k_release):
    """Trapped block is freed by rare openings."""
    return k_release * trapped


def interneuron_targets(whole, a, b, d, left_b, left_d):
    """Share of the current of interneurons left within reach of the drug after a knock-out."""
    return (1 - whole) * (a + left_b + left_d) / (a + b + d)


def pyramidal_targets(whole, glun2b, knockout):
    """Share of the current of pyramidal cells left within reach of the drug after a knock-out."""
    return (1 - whole) * (1 - glun2b * knockout)


def loss(blocked, targets, gain):
    """NMDA drive lost to the drug, as far as the account is switched on."""
    return blocked * targets * gain


def resting_loss(resting, off, gain):
    """Resting NMDA signal lost to the drug, as far as the account is switched on."""
    return resting * (1 - off) * gain


def reference_block(ketamine, opening):
    """Block of GluN2A and 2B at the reference dose."""
    felt = ketamine * opening
    return felt / (1 + felt)


def reference_block_glun2d(ketamine, weaker_glun2d, opening):
    """Block of GluN2D at the reference dose."""
    felt = ketamine / weaker_glun2d * opening
    return felt / (1 + felt)


def reference_loss(block, block_d, opening, opening_d, glun2d):
    """NMDA drive lost by a pool of three kinds of receptor at the reference dose."""
    carried, carried_d = (1 - glun2d) * opening, glun2d * opening_d
    return (carried * block + carried_d * block_d) / (carried + carried_d)


_POOLS = {
    "interneuron": "interneurons",
    "pyramidal": "pyramidal cells",
    "resting": "the resting pool",
}
_AT_REST = {"interneuron": "interneuron", "pyramidal": "pyramidal", "resting": "pyramidal"}


def _reach(pool: str) -> tuple[Quantity, ...]:
    """Return the drugs and the magnesium that a pool's voltage and gating leave at its pores."""
    where, voltage = _POOLS[pool], {"voltage": f"voltage_{_AT_REST[pool]}"}
    ketamine = {
        **voltage,
        "amount": "ketamine_load",
        "gating": f"gating_{pool}",
        "trapping": "trapping_ketamine",
    }
    memantine = {**ketamine, "amount": "memantine", "trapping": "trapping_memantine"}
    return (
        Quantity(held, "1", f"load of ketamine held on {where}", f"{pool}_ketamine", ketamine),
        Quantity(held, "uM", f"memantine held on {where}", f"{pool}_memantine", memantine),
        Quantity(trapped_whole, "1", f"load of MK-801 on {where}", f"{pool}_mk801", {**voltage, "amount": "mk801", "k": "k_mk801"}),
        Quantity(opening, "1", f"GluN2A and 2B free of magnesium on {where}", f"{pool}_opening", voltage),
    )  # fmt: skip


def _kind(pool: str, kind: str, of: str) -> tuple[Quantity, ...]:
    """Return the load on one kind of receptor of a pool, and what it takes of the current ``of``."""
    where, felt = f"GluN2{kind.upper()} of {_POOLS[pool]}", f"{pool}_load_{kind}"
    law, means = (
        (load_glun2d, {}) if kind == "d" else (load, {"k_memantine": f"k_memantine_glun2{kind}"})
    )
    using = {one: f"{pool}_{one}" for one in ("ketamine", "memantine", "mk801")}
    free = f"{pool}_opening{'_d' if kind == 'd' else ''}"
    return (
        Quantity(law, "1", f"load on {where}", felt, {**using, **means, "opening": free}),
        Quantity(caught, "1", f"current taken from {where}", f"{pool}_caught_{kind}", {"amount": of, "felt": felt}),
        Quantity(spared, "1", f"current left to {where}", f"{pool}_spared_{kind}", {"amount": of, "felt": felt}),
    )  # fmt: skip


def _pooled(pool: str, kinds: str) -> Quantity:
    """Return the load of a pool over its kinds of receptor."""
    using = {f"{one}_{k}": f"{pool}_{one}_{k}" for one in ("caught", "spared") for k in kinds}
    law = pooled_three if len(kinds) > 2 else pooled
    return Quantity(law, "1", f"load of blockers felt on {_POOLS[pool]}", f"{pool}_load", using)


def _with_glun2d(pool: str, glun2b: str) -> tuple[Quantity, ...]:
    """Return the currents of a pool of three kinds of receptor, before any knock-out."""
    where, glun2d = _POOLS[pool], "glun2d"
    shares = {"glun2b": glun2b, "glun2d": glun2d, "opening": f"{pool}_opening"}
    wires = {"voltage": f"voltage_{_AT_REST[pool]}", "k_magnesium": "k_magnesium_glun2d"}
    return (
        Quantity(opening, "1", f"GluN2D free of magnesium on {where}", f"{pool}_opening_d", wires),
        Quantity(current_glun2a, "1", f"current of GluN2A on {where}", f"{pool}_a", shares),
        Quantity(current_glun2b, "1", f"current of GluN2B on {where}", f"{pool}_b", shares),
        Quantity(current, "1", f"current of GluN2D on {where}", f"{pool}_d", {"share": glun2d, "opening": f"{pool}_opening_d"}),
    )  # fmt: skip


def _at_reference(pool: str) -> tuple[Derived, ...]:
    """Return a pool's load of ketamine, its openings and the block of 2A and 2B at the reference."""
    where, at = _POOLS[pool], f"{pool}_reference"
    voltage = {"voltage": f"voltage_{pool}"}
    held_by = {
        **voltage,
        "amount": "reference_load",
        "gating": f"gating_{pool}",
        "trapping": "trapping_ketamine",
    }
    return (
        Derived(held, "1", f"load of ketamine held on {where} at the reference dose", f"{at}_ketamine", held_by),
        Derived(opening, "1", f"GluN2A and 2B free of magnesium on {where} then", f"{at}_opening", {**voltage, "magnesium": "reference_magnesium"}),
    )  # fmt: skip


def _pool_flows(pool: str) -> tuple[Flow, ...]:
    using = {"blocked": f"{pool}_block", "gating": f"gating_{pool}"}
    return (
        Flow(bind, into=f"{pool}_block", using={**using, "felt": f"{pool}_load"}),
        Flow(escape, out_of=f"{pool}_block", using=using),
    )


_LEDGER = (
    Parameter("reference", 0.3, "uM", (0.3, 0.3), derived("unbound in brain as 0.5 mg/kg over 40 min ends"), "each enantiomer in brain at the reference dose", role="setting"),
    Parameter("reference_magnesium", 1.0, "mM", (1.0, 1.0), derived("extracellular magnesium"), "magnesium at the reference dose", role="setting"),
    Parameter("k_s", 0.3, "uM", (0.2, 0.6), measured("Ki of S-ketamine, rat cortex", "Ebert1997"), "affinity of S-ketamine", grounds=Grounds(seen=seen(0.25, 0.66, "Ki over a database, of the racemate", "Morris2017"))),
    Parameter("k_r", 1.4, "uM", (0.8, 2.5), measured("Ki of R-ketamine, rat cortex", "Ebert1997"), "affinity of R-ketamine", grounds=Grounds(seen=seen(0.497, 1.4, "0.497 uM in one laboratory (not confirmed), 1.4 in another", "Ebert1997"))),
    Parameter("k_s_norketamine", 1.7, "uM", (1.0, 3.4), measured("Ki of S-norketamine, rat cortex", "Ebert1997"), "affinity of S-norketamine", grounds=Grounds(seen=seen(1.7, 2.25, "1.7 uM in one laboratory, 2.25 in another (not confirmed)", "Ebert1997"))),
    Parameter("k_r_norketamine", 13.0, "uM", (6.5, 26.0), measured("Ki of R-norketamine, rat cortex", "Ebert1997"), "affinity of R-norketamine", grounds=Grounds(seen=seen(13.0, 26.5, "13 uM in one laboratory, 26.5 in another (not confirmed)", "Ebert1997"))),
    Parameter("k_hydroxynorketamine", 46.0, "uM", (20.0, 250.0), measured("IC50 of (2R,6R)-hydroxynorketamine, GluN1/2A", "Abbott2020"), "affinity of hydroxynorketamine; (2S,6S) is taken as (2R,6R)", grounds=Grounds(seen=seen(46.0, 212.0, "IC50 46 uM in one laboratory, 212 in another (not confirmed)", "Abbott2020"))),
    Parameter("weaker_glun2d", 2.6, "1", (1.0, 3.0), assumed("IC50 0.83 uM against 0.33 and 0.31 at GluN2A and 2B, -66 mV without magnesium; source not confirmed"), "ketamine's affinity for GluN2A and 2B over that for GluN2D", grounds=Grounds(seen=seen(0.73, 2.6, "2.6 in one laboratory; 0.73 against 2A and 2.6 against 2B at -40 mV in another (neither confirmed)"))),
    Parameter("k_memantine_glun2a", 0.9, "uM", (0.6, 1.2), measured("IC50 at -70 mV without magnesium", "NMDARSpecificity"), "affinity of memantine, GluN2A", grounds=Grounds(seen=seen(0.8, 0.9, "0.9 uM in one laboratory, 0.8 in another (not confirmed)", "NMDARSpecificity"))),
    Parameter("k_memantine_glun2b", 0.4, "uM", (0.3, 0.8), measured("IC50 at -70 mV without magnesium", "NMDARSpecificity"), "affinity of memantine, GluN2B", grounds=Grounds(seen=seen(0.4, 0.57, "0.4 uM in one laboratory, 0.57 in another (not confirmed)", "NMDARSpecificity"))),
    Parameter("k_memantine_glun2d", 0.3, "uM", (0.2, 0.6), measured("IC50 at -70 mV without magnesium", "NMDARSpecificity"), "affinity of memantine, GluN2D", grounds=Grounds(seen=seen(0.3, 0.54, "0.3 uM in one laboratory, 0.54 in another (not confirmed)", "NMDARSpecificity"))),
    Parameter("k_mk801", 0.005, "uM", (0.001, 0.05), assumed("nanomolar affinity of dizocilpine; not in the evidence"), "affinity of MK-801", grounds=Grounds(seen=seen(0.00136, 0.0373, "Ki 1.36 nM by displacement to IC50 37 nM by displacement; 5.5 and 15 nM between (none confirmed)"))),
    Parameter("trapping_ketamine", 0.86, "1", (0.7, 0.95), assumed("86 % in cortical neurons; source not confirmed"), "share of ketamine block kept by a closed channel", grounds=Grounds(seen=seen(0.86, 1.0, "86 % in cortical neurons (not confirmed) to fully trapped at human GluN1/2A", "Gilling2009", "Kotermanski2009"), most=1.0)),
    Parameter("trapping_memantine", 0.71, "1", (0.5, 0.85), assumed("71 % in cortical neurons; source not confirmed"), "share of memantine block kept by a closed channel", grounds=Grounds(seen=seen(0.71, 0.833, "71 % (not confirmed) to five sixths of blocked channels, in cortical neurons of two laboratories; about 80 % in a third", "Blanpied1997", "Gilling2009"), most=1.0)),
    Parameter("k_magnesium", 0.066, "mM", (0.04, 0.12), assumed("16-fold loss of potency of ketamine in 1 mM magnesium at -66 mV; source not confirmed"), "magnesium affinity, GluN2A and 2B", grounds=Grounds(seen=seen(0.0448, 0.0742, "0.045 mM from rates in neurons to 0.074 in a textbook law, at -66 mV; 0.059-0.066 between (none confirmed)"))),
    Parameter("k_magnesium_glun2d", 0.4, "mM", (0.25, 0.7), assumed("3.6-fold loss of potency of ketamine, 3.3-fold of memantine, in 1 mM magnesium at -66 mV; source not confirmed"), "magnesium affinity, GluN2D", grounds=Grounds(seen=seen(0.39, 0.43, "loss of potency of ketamine and of memantine in 1 mM magnesium at -66 mV, one laboratory (not confirmed)"))),
    Parameter("reference_voltage", -66.0, "mV", (-66.0, -66.0), derived("holding potential at which affinities by subunit are stated"), "voltage of the affinities"),
    Parameter("voltage_slope", 15.8, "mV", (12.0, 25.0), derived("a site for magnesium 80 % into the field, two charges", "Sharma1996"), "rise of voltage over which magnesium block falls e-fold", grounds=Grounds(seen=seen(12.5, 17.0, "e-fold per 12.5 mV from rates in neurons to 17 in a textbook law (neither confirmed); 15.8 from a site 80 % into the field", "Sharma1996"))),
    Parameter("drug_slope", 16.86, "mV", (11.0, 45.0), fitted("one charge at an electrical depth of about 0.8"), "rise of voltage over which the drugs' affinity falls e-fold", grounds=Grounds(seen=seen(11.0, 25.0, "3- to 10-fold between -66 and -40 mV, from two laboratories (not confirmed)"))),
    Parameter("voltage_interneuron", -38.5, "mV", (-52.0, -25.0), assumed("receptors open, and take up drug, above all while the cell is depolarised"), "voltage of interneurons while their receptors are open", grounds=Grounds(high=by_test("was -42, so that block in living rat can be reached"))),
    Parameter("voltage_pyramidal", -61.1, "mV", (-68.0, -40.0), derived("no block was seen an hour after 30 mg/kg in mice, where half at 1.42 uM in rats asks for more: the sources disagree", "Lord2013", "Shaffer2014"), "voltage of pyramidal cells while their receptors are open", grounds=Grounds(high=by_test("was -57, so that block in living rat can be reached"))),
    Parameter("gating_interneuron", 0.49, "1", (0.3, 0.8), assumed("tonically active"), "how often receptors on interneurons open", grounds=Grounds(most=1.0)),
    Parameter("gating_pyramidal", 0.2011, "1", (0.1, 0.4), fitted("sparsely active"), "how often receptors on pyramidal cells open", grounds=Grounds(most=1.0)),
    Parameter("gating_resting", 0.4, "1", (0.1, 0.6), assumed("ambient glutamate and single quanta"), "how often resting receptors open", grounds=Grounds(most=1.0)),
    Parameter("k_exchange", 894.8, "1/h", (400.0, 1200.0), fitted("block settles within minutes of a change of concentration, on pyramidal cells too: without receptors on interneurons there is no surge while it does", "Gerhard2020", "GluN2DKO2022"), "exchange of blocker with a fully active receptor", grounds=Grounds(low=by_source("0.12 per s, rounded outwards", "Gilling2009"), high=by_source("0.32 per s, rounded outwards", "Gilling2009"), seen=seen(432.0, 1152.0, "ketamine leaves human GluN1/2A at 0.22 (SD or SE 0.05) per s at -70 mV; twice that error either way", "Gilling2009"))),
    Parameter("k_trap", 1.0, "1/h", (0.3, 3.0), assumed("fills during an exposure of about an hour"), "trapping in the lateral habenula"),
    Parameter("k_release", 0.05, "1/h", (0.02, 0.2), assumed("block outlasts the drug by about a day"), "release of trapped block"),
    Parameter("glun2d", 0.141, "1", (0.05, 0.4), assumed("a minority, in fast-firing interneurons above all; no share was found"), "GluN2D among receptors of interneurons and of the resting pool", grounds=Grounds(most=1.0)),
    Parameter("glun2b", 0.5, "1", (0.3, 0.8), assumed("as much GluN2B as GluN2A in layers 2 and 3, more in layer 5"), "GluN2B among GluN2A and 2B of any cell", grounds=Grounds(most=1.0)),
)  # fmt: skip

NMDA = Mechanism(
    name="nmda",
    story=story_of(__doc__),
    states=(
        State("interneuron_block", 0.0, "1", "NMDA receptors blocked on interneurons", within=(0.0, 1.0), short="nmda_block"),
        State("pyramidal_block", 0.0, "1", "NMDA receptors blocked on pyramidal cells", within=(0.0, 1.0)),
        State("resting_block", 0.0, "1", "resting NMDA signal blocked", within=(0.0, 1.0)),
        State("trapped", 0.0, "1", "block trapped in the lateral habenula", within=(0.0, 1.0)),
    ),
    parameters=_LEDGER,
    reads=(
        Read("s", "uM", of="pk_s.brain"),
        Read("r", "uM", of="pk_r.brain"),
        Read("s_norketamine", "uM", of="pk_s.brain_norketamine"),
        Read("r_norketamine", "uM", of="pk_r.brain_norketamine"),
        Read("s_hydroxynorketamine", "uM", of="pk_s.brain_hydroxynorketamine"),
        Read("r_hydroxynorketamine", "uM", of="pk_r.brain_hydroxynorketamine"),
        Read("gain", "1", of="drivers.disinhibition"),
        Read("gain_resting", "1", of="drivers.resting"),
    ),
    knobs=(
        Knob("memantine", 0.0, "uM", (0.0, 1e3), "memantine-like blocker in brain"),
        Knob("mk801", 0.0, "uM", (0.0, 1e3), "MK-801-like blocker in brain"),
        Knob("magnesium", 1.0, "mM", (0.0, 10.0), "extracellular magnesium"),
        Knob("interneuron_knockout", 0.0, "1", (0.0, 1.0), "NMDA receptors knocked out on interneurons"),
        Knob("interneuron_glun2b_knockout", 0.0, "1", (0.0, 1.0), "GluN2B knocked out on interneurons"),
        Knob("interneuron_glun2d_knockout", 0.0, "1", (0.0, 1.0), "GluN2D knocked out (on interneurons)"),
        Knob("pyramidal_knockout", 0.0, "1", (0.0, 1.0), "NMDA receptors knocked out on pyramidal cells"),
        Knob("pyramidal_glun2b_knockout", 0.0, "1", (0.0, 1.0), "GluN2B knocked out on pyramidal cells"),
        Knob("resting_off", 0.0, "1", (0.0, 1.0), "effect of resting-pool block switched off"),
        Knob("trapping_off", 0.0, "1", (0.0, 1.0), "trapping switched off"),
    ),
    derived=(
        Derived(pair, "1", "load of ketamine at the reference dose", "reference_load", {"s": "reference", "r": "reference"}),
        *_at_reference("interneuron"),
        *_at_reference("pyramidal"),
        Derived(opening, "1", "GluN2D free of magnesium on interneurons then", "interneuron_reference_opening_d", {"voltage": "voltage_interneuron", "magnesium": "reference_magnesium", "k_magnesium": "k_magnesium_glun2d"}),
        Derived(reference_block, "1", "block of GluN2A and 2B on interneurons at the reference dose", "interneuron_reference_block", {"ketamine": "interneuron_reference_ketamine", "opening": "interneuron_reference_opening"}),
        Derived(reference_block_glun2d, "1", "block of GluN2D on interneurons at the reference dose", "interneuron_reference_block_d", {"ketamine": "interneuron_reference_ketamine", "opening": "interneuron_reference_opening_d"}),
        Derived(reference_loss, "1", "NMDA drive lost by interneurons at the reference dose", "interneuron_reference", {"block": "interneuron_reference_block", "block_d": "interneuron_reference_block_d", "opening": "interneuron_reference_opening", "opening_d": "interneuron_reference_opening_d", "glun2d": "glun2d"}),
        Derived(reference_block, "1", "NMDA drive lost by pyramidal cells at the reference dose", "pyramidal_reference", {"ketamine": "pyramidal_reference_ketamine", "opening": "pyramidal_reference_opening"}),
    ),
    quantities=(
        Quantity(pair, "1", "load of ketamine", "parent_load"),
        Quantity(pair, "1", "load of norketamine", "norketamine_load", {"s": "s_norketamine", "r": "r_norketamine", "k_s": "k_s_norketamine", "k_r": "k_r_norketamine"}),
        Quantity(mirrored, "1", "load of hydroxynorketamine", "hydroxynorketamine_load", {"s": "s_hydroxynorketamine", "r": "r_hydroxynorketamine", "k": "k_hydroxynorketamine"}),
        Quantity(ketamine_load, "1", "load of ketamine and metabolites", using={"parent": "parent_load", "norketamine": "norketamine_load", "hydroxynorketamine": "hydroxynorketamine_load"}),
        *_reach("interneuron"),
        *_with_glun2d("interneuron", "glun2b"),
        Quantity(remaining, "1", "current of GluN2B left on interneurons", "interneuron_left_b", {"amount": "interneuron_b", "knockout": "interneuron_glun2b_knockout"}),
        Quantity(remaining, "1", "current of GluN2D left on interneurons", "interneuron_left_d", {"amount": "interneuron_d", "knockout": "interneuron_glun2d_knockout"}),
        *_kind("interneuron", "a", "interneuron_a"),
        *_kind("interneuron", "b", "interneuron_left_b"),
        *_kind("interneuron", "d", "interneuron_left_d"),
        _pooled("interneuron", "abd"),
        *_reach("pyramidal"),
        Quantity(rest_of, "1", "GluN2A on pyramidal cells", "pyramidal_a", {"share": "glun2b"}),
        Quantity(remaining, "1", "GluN2B left on pyramidal cells", "pyramidal_left_b", {"amount": "glun2b", "knockout": "pyramidal_glun2b_knockout"}),
        *_kind("pyramidal", "a", "pyramidal_a"),
        *_kind("pyramidal", "b", "pyramidal_left_b"),
        _pooled("pyramidal", "ab"),
        *_reach("resting"),
        *_with_glun2d("resting", "glun2b"),
        *_kind("resting", "a", "resting_a"),
        *_kind("resting", "b", "resting_b"),
        *_kind("resting", "d", "resting_d"),
        _pooled("resting", "abd"),
        Quantity(interneuron_targets, "1", "current of interneurons within reach of the drug", using={"whole": "interneuron_knockout", "a": "interneuron_a", "b": "interneuron_b", "d": "interneuron_d", "left_b": "interneuron_left_b", "left_d": "interneuron_left_d"}),
        Quantity(pyramidal_targets, "1", "current of pyramidal cells within reach of the drug", using={"whole": "pyramidal_knockout", "glun2b": "glun2b", "knockout": "pyramidal_glun2b_knockout"}),
        Quantity(loss, "1", "NMDA drive lost by interneurons", "interneuron_loss", {"blocked": "interneuron_block", "targets": "interneuron_targets"}),
        Quantity(loss, "1", "NMDA drive lost by pyramidal cells", "pyramidal_loss", {"blocked": "pyramidal_block", "targets": "pyramidal_targets"}),
        Quantity(resting_loss, "1", "resting NMDA signal lost", using={"resting": "resting_block", "off": "resting_off", "gain": "gain_resting"}),
    ),
    flows=(
        *_pool_flows("interneuron"),
        *_pool_flows("pyramidal"),
        *_pool_flows("resting"),
        Flow(trap, into="trapped", using={"felt": "interneuron_load", "off": "trapping_off"}),
        Flow(release, out_of="trapped"),
    ),
)  # fmt: skip
