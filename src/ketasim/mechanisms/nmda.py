"""NMDA receptors and the drugs that block their pore.

All channel blockers compete for one site, so loads (concentration over affinity) add and the
blocked fraction is load / (1 + load): never a product of independent occupancies. A blocker enters
and leaves an open pore, so the rate goes with gating while the balance does not, except for what
slips out of a closed channel (partial trapping), which costs a seldom-opened receptor part of its
block. Magnesium competes for the pore and is relieved by depolarisation: receptors of tonically
active interneurons, rich in GluN2C and 2D and less hyperpolarised, are blocked at concentrations
that leave pyramidal cells largely alone. A small pool answers to ambient glutamate at rest, and in
the lateral habenula block is trapped long after the drug has gone.

Left out: desensitisation, changes of subunit composition, calcium through the receptor, and the
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
    derived,
    fitted,
    measured,
    seen,
    unsourced,
)
from ketasim.core.maths import exp


def pair(s, r, k_s, k_r):
    """Load of a chiral blocker on the pore: concentration over affinity, summed."""
    return s / k_s + r / k_r


def ketamine_load(parent, norketamine, hydroxynorketamine):
    """Load of ketamine and its metabolites together, without magnesium."""
    return parent + norketamine + hydroxynorketamine


def single(ligand, k):
    """Load of a single blocker."""
    return ligand / k


def competition(magnesium, voltage, k_magnesium, reference_voltage, voltage_slope):
    """The factor by which magnesium in the pore weakens every other blocker."""
    return 1 + magnesium / k_magnesium * exp((reference_voltage - voltage) / voltage_slope)


def retained(gating, trapping):
    """The share of binding that survives escape from closed channels."""
    return gating / (gating + (1 - trapping) * (1 - gating))


def load(ketamine, memantine, mk801, keep, keep_memantine, access, magnesium):
    """Load that a receptor pool feels, after trapping, access and magnesium."""
    return (ketamine * keep + memantine * keep_memantine * access + mk801) / magnesium


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


def interneuron_targets(whole, glun2b, glun2d, holds_glun2b, holds_glun2d):
    """Receptors left on interneurons after a knock-out."""
    return (1 - whole) * (1 - holds_glun2b * glun2b) * (1 - holds_glun2d * glun2d)


def pyramidal_targets(whole, glun2b, holds_glun2b):
    """Receptors left on pyramidal cells after a knock-out."""
    return (1 - whole) * (1 - holds_glun2b * glun2b)


def loss(blocked, targets, gain):
    """NMDA drive lost to the drug, as far as the account is switched on."""
    return blocked * targets * gain


def resting_loss(resting, off, gain):
    """Resting NMDA signal lost to the drug, as far as the account is switched on."""
    return resting * (1 - off) * gain


def reference_loss(reference, k_s, k_r, keep, magnesium):
    """NMDA drive lost at the reference dose."""
    felt = (reference / k_s + reference / k_r) * keep / magnesium
    return felt / (1 + felt)


_POOLS = {
    "interneuron": "interneurons",
    "pyramidal": "pyramidal cells",
    "resting": "the resting pool",
}


def _pool_reference(pool: str) -> tuple[Derived, ...]:
    where, keep, magnesium = _POOLS[pool], f"{pool}_reference_keep", f"{pool}_reference_magnesium"
    return (
        Derived(competition, "1", f"weakening of block by magnesium on {where} at the reference dose", magnesium, {"magnesium": "reference_magnesium", "voltage": f"voltage_{pool}", "k_magnesium": f"k_magnesium_{pool}"}),
        Derived(retained, "1", f"ketamine binding kept on {where} at the reference dose", keep, {"gating": f"gating_{pool}", "trapping": "trapping_ketamine"}),
        Derived(reference_loss, "1", f"NMDA drive lost by {where} at the reference dose", f"{pool}_reference", {"keep": keep, "magnesium": magnesium}),
    )  # fmt: skip


def _pool_quantities(pool: str) -> tuple[Quantity, ...]:
    where = _POOLS[pool]
    return (
        Quantity(competition, "1", f"weakening of block by magnesium on {where}", f"{pool}_magnesium", {"voltage": f"voltage_{pool}", "k_magnesium": f"k_magnesium_{pool}"}),
        Quantity(retained, "1", f"ketamine binding kept on {where}", f"{pool}_keep", {"gating": f"gating_{pool}", "trapping": "trapping_ketamine"}),
        Quantity(retained, "1", f"memantine binding kept on {where}", f"{pool}_keep_memantine", {"gating": f"gating_{pool}", "trapping": "trapping_memantine"}),
        Quantity(load, "1", f"load of blockers felt on {where}", f"{pool}_load", {"ketamine": "ketamine_load", "memantine": "memantine_load", "mk801": "mk801_load", "keep": f"{pool}_keep", "keep_memantine": f"{pool}_keep_memantine", "access": f"memantine_access_{pool}", "magnesium": f"{pool}_magnesium"}),
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
    Parameter("k_s_hydroxynorketamine", 46.0, "uM", (20.0, 250.0), assumed("taken as for (2R,6R)"), "affinity of (2S,6S)-hydroxynorketamine"),
    Parameter("k_r_hydroxynorketamine", 46.0, "uM", (20.0, 250.0), measured("IC50 of (2R,6R)-hydroxynorketamine, GluN1/2A", "Abbott2020"), "affinity of (2R,6R)-hydroxynorketamine", grounds=Grounds(seen=seen(46.0, 212.0, "IC50 46 uM in one laboratory, 212 in another (not confirmed)", "Abbott2020"))),
    Parameter("k_memantine", 0.4, "uM", (0.2, 1.0), measured("Mg-free IC50 0.3-0.9 over the subunits", "NMDARSpecificity"), "affinity of memantine", grounds=Grounds(low=by_source("least of four subunits 0.3 uM", "NMDARSpecificity"), high=by_source("largest of four subunits 0.9 uM", "NMDARSpecificity"))),
    Parameter("k_mk801", 0.005, "uM", (0.001, 0.05), assumed("nanomolar affinity of dizocilpine; not in the evidence"), "affinity of MK-801"),
    Parameter("trapping_ketamine", 0.86, "1", (0.7, 0.95), assumed("86 % in cortical neurons; source not confirmed"), "share of ketamine block kept by a closed channel", grounds=Grounds(most=1.0)),
    Parameter("trapping_memantine", 0.71, "1", (0.5, 0.85), assumed("71 % in cortical neurons; source not confirmed"), "share of memantine block kept by a closed channel", grounds=Grounds(most=1.0)),
    Parameter("memantine_access_interneuron", 0.0604, "1", (0.02, 0.2), fitted("memantine without effect at a comparable dose", "Gideons2014"), "memantine's hold on tonically active receptors, relative to its affinity", grounds=Grounds(most=1.0)),
    Parameter("memantine_access_pyramidal", 0.5, "1", (0.2, 1.0), assumed("it leaves depolarised channels quickly"), "memantine's hold on pyramidal receptors, relative to its affinity", grounds=Grounds(most=1.0)),
    Parameter("memantine_access_resting", 0.05, "1", (0.0, 0.15), measured("does not block resting receptors in physiological magnesium", "Gideons2014"), "memantine's hold on resting receptors, relative to its affinity", grounds=Grounds(most=1.0)),
    Parameter("k_magnesium_interneuron", 0.6, "mM", (0.3, 1.0), assumed("between GluN2C (2.3-fold loss of potency in 1 mM Mg at -66 mV) and GluN2D (3.6-fold); source not confirmed"), "magnesium affinity, GluN2C/2D-rich"),
    Parameter("k_magnesium_pyramidal", 0.066, "mM", (0.04, 0.12), assumed("the 16-fold loss of potency of GluN2A/2B in 1 mM Mg at -66 mV; source not confirmed"), "magnesium affinity, GluN2A/2B"),
    Parameter("k_magnesium_resting", 1.5, "mM", (0.7, 4.0), assumed("resting conductance passes through magnesium-tolerant receptors"), "magnesium affinity, resting pool", grounds=Grounds(low=unsourced("moved with its value, so that the account can reach a comparable effect"), high=unsourced("moved with its value, so that the account can reach a comparable effect"))),
    Parameter("reference_voltage", -66.0, "mV", (-66.0, -66.0), derived("holding potential at which the magnesium affinities are stated"), "voltage of the magnesium affinities"),
    Parameter("voltage_slope", 17.0, "mV", (12.0, 25.0), assumed("electrical depth of magnesium of about 0.75 with two charges"), "voltage over which magnesium block falls e-fold"),
    Parameter("voltage_interneuron", -46.0, "mV", (-52.0, -42.0), assumed("fast-firing cells are depolarised on average"), "mean voltage of interneurons"),
    Parameter("voltage_pyramidal", -62.0, "mV", (-68.0, -57.0), assumed("near rest between sparse spikes"), "mean voltage of pyramidal cells"),
    Parameter("voltage_resting", -66.0, "mV", (-70.0, -60.0), assumed("at rest"), "mean voltage at resting synapses"),
    Parameter("gating_interneuron", 0.5, "1", (0.3, 0.8), assumed("tonically active"), "how often receptors on interneurons open", grounds=Grounds(most=1.0)),
    Parameter("gating_pyramidal", 0.2, "1", (0.1, 0.4), assumed("sparsely active"), "how often receptors on pyramidal cells open", grounds=Grounds(most=1.0)),
    Parameter("gating_resting", 0.4, "1", (0.2, 0.6), assumed("ambient glutamate and single quanta"), "how often resting receptors open", grounds=Grounds(low=unsourced("moved with its value, so that the account can reach a comparable effect"), high=unsourced("moved with its value, so that the account can reach a comparable effect"), most=1.0)),
    Parameter("k_exchange", 80.0, "1/h", (30.0, 300.0), assumed("block settles within minutes of a change of concentration"), "exchange of blocker with a fully active receptor"),
    Parameter("k_trap", 1.0, "1/h", (0.3, 3.0), assumed("fills during an exposure of about an hour"), "trapping in the lateral habenula"),
    Parameter("k_release", 0.05, "1/h", (0.02, 0.2), assumed("block outlasts the drug by about a day"), "release of trapped block"),
    Parameter("holds_glun2b", 0.85, "1", (0.75, 1.0), derived("knock-down on interneurons abolishes the effect", "Gerhard2020"), "interneuron receptors that hold GluN2B", grounds=Grounds(most=1.0)),
    Parameter("holds_glun2d", 0.85, "1", (0.75, 1.0), derived("knock-out abolishes the rise of excitatory events", "GluN2DKO2022"), "interneuron receptors that hold GluN2D", grounds=Grounds(most=1.0)),
    Parameter("holds_glun2b_pyramidal", 0.5, "1", (0.3, 0.8), assumed("about half of adult forebrain receptors"), "pyramidal receptors that hold GluN2B", grounds=Grounds(most=1.0)),
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
    derived=(*_pool_reference("interneuron"), *_pool_reference("pyramidal")),
    quantities=(
        Quantity(pair, "1", "load of ketamine", "parent_load"),
        Quantity(pair, "1", "load of norketamine", "norketamine_load", {"s": "s_norketamine", "r": "r_norketamine", "k_s": "k_s_norketamine", "k_r": "k_r_norketamine"}),
        Quantity(pair, "1", "load of hydroxynorketamine", "hydroxynorketamine_load", {"s": "s_hydroxynorketamine", "r": "r_hydroxynorketamine", "k_s": "k_s_hydroxynorketamine", "k_r": "k_r_hydroxynorketamine"}),
        Quantity(ketamine_load, "1", "load of ketamine and metabolites", using={"parent": "parent_load", "norketamine": "norketamine_load", "hydroxynorketamine": "hydroxynorketamine_load"}),
        Quantity(single, "1", "load of memantine", "memantine_load", {"ligand": "memantine", "k": "k_memantine"}),
        Quantity(single, "1", "load of MK-801", "mk801_load", {"ligand": "mk801", "k": "k_mk801"}),
        *_pool_quantities("interneuron"),
        *_pool_quantities("pyramidal"),
        *_pool_quantities("resting"),
        Quantity(interneuron_targets, "1", "receptors on interneurons within reach of the drug", using={"whole": "interneuron_knockout", "glun2b": "interneuron_glun2b_knockout", "glun2d": "interneuron_glun2d_knockout"}),
        Quantity(pyramidal_targets, "1", "receptors on pyramidal cells within reach of the drug", using={"whole": "pyramidal_knockout", "glun2b": "pyramidal_glun2b_knockout", "holds_glun2b": "holds_glun2b_pyramidal"}),
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
