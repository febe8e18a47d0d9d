"""Serotonin: its release, its transporter, and the 5-HT1B receptors that PET sees.

AMPA current of the cortex reaches the raphe, serotonin rises for an hour, and reuptake ends it. The
transporter is taken in by a way that needs drug but no AMPA receptor, and is back within a day;
direct block would need hundreds of times more drug. 5-HT1B receptors of the ventral striatum come to
the membrane when AMPA receptors are driven, and stay for days. What PET reads of them falls when
serotonin rises, as the tracer competes with it: a rise of binding is more receptors than it shows.

As a rival account, off by default, serotonin at 5-HT1B receptors decides how much of what drug-born
spines carry is expressed (``drivers.serotonin``). ``born`` keeps the books for it: spines formed
beyond the usual, which age into the rest.

Left out: 5-HT1A and 2A receptors, firing patterns of the raphe, and levels by region.
"""

from math import inf

from ketasim.core.declare import (
    Flow,
    Knob,
    Mechanism,
    Parameter,
    Quantity,
    Read,
    State,
    story_of,
)
from ketasim.core.evidence import Grounds, assumed, fitted
from ketasim.core.maths import hill, power
from ketasim.core.module import Coupling


def raphe(current, nicotinic_block, gain, nicotinic_share, half):
    """Release from the raphe relative to rest, called for by cortical AMPA current."""
    return 1 + gain * (1 - nicotinic_share * nicotinic_block) * hill(current - 1, half, 2)


def make(pcpa, content, k_content):
    """Stores follow synthesis, which an inhibitor takes away."""
    return k_content * (1 - pcpa - content)


def release(content, raphe, level, brake, k_5ht):
    """Serotonin is released, and brakes its own release."""
    return k_5ht * content * raphe / (1 + brake * (level - 1))


def take_up(level, sert, other, k_5ht):
    """Serotonin is taken up by its transporter and cleared otherwise."""
    return k_5ht * (other + (1 - other) * sert) * level


def expose(drug, ssri, sert, sert_max, sert_half, k_sert):
    """Transporter that works and that PET sees: less under drug, whatever AMPA receptors do."""
    taken_in = sert_max * drug / (sert_half + drug)
    return k_sert * ((1 - taken_in) * (1 - ssri) - sert)


def recruit(current, receptors, k_up, half_1b, most):
    """5-HT1B receptors come to the membrane while AMPA receptors are driven."""
    return k_up * hill(current - 1, half_1b, 2 * 2) * (most - receptors)


def retire(receptors, k_down):
    """What was added leaves over days."""
    return k_down * (receptors - 1)


def signal(level, receptors, agonist):
    """Signal of 5-HT1B receptors relative to rest."""
    return level * receptors + agonist


def permit(signal, needed):
    """How much of what drug-born spines carry may be expressed; 1 at rest."""
    return hill(signal, needed, 2 * 2) * (1 + power(needed, 2 * 2))


def bear(formation, k_reform, vacated, k_form, free_sites):
    """Spines form beyond the usual."""
    return (formation - 1) * (k_reform * vacated + k_form * free_sites)


def age(born, k_age):
    """A spine born of the drug becomes one of the rest."""
    return k_age * born


def binding_1b(receptors, level, occupied):
    """Binding of a tracer that serotonin competes with, relative to rest."""
    return receptors * (1 + occupied) / (1 + occupied * level)


def binding_sert(sert):
    """Binding of a tracer of the transporter, relative to rest."""
    return sert


def gated(before, born, total, permit, gain):
    """Strength without what drug-born spines carry and serotonin does not permit."""
    return before * (1 - gain * (1 - permit) * born / total)


SEROTONIN = Mechanism(
    name="serotonin",
    story=story_of(__doc__),
    states=(
        State("level", 1.0, "1", "serotonin outside cells, relative to rest", short="serotonin"),
        State("content", 1.0, "1", "serotonin in stores, relative to rest"),
        State("sert", 1.0, "1", "transporter at the membrane, relative to rest"),
        State("receptors", 1.0, "1", "5-HT1B receptors at the membrane, relative to rest"),
        State("born", 0.0, "1", "spines born of the drug, per original site", scale=0.1, within=(-inf, inf)),
    ),
    parameters=(
        Parameter("gain", 2.0, "1", (0.5, 4.0), assumed("prefrontal serotonin rises with dose; its size is not in the abstract"), "greatest rise of release, over rest"),
        Parameter("half", 2.0, "1", (0.5, 4.0), assumed("about the current above rest at an antidepressant dose"), "AMPA current above rest at half of that"),
        Parameter("nicotinic_share", 0.6, "1", (0.2, 0.9), assumed("a nicotinic antagonist in the raphe attenuates the rise"), "share of the call that nicotinic receptors pass on", grounds=Grounds(most=1.0)),
        Parameter("k_5ht", 6.0, "1/h", (3.0, 20.0), assumed("a pulse is over within the hour after its cause"), "clearance of serotonin"),
        Parameter("brake", 0.3, "1", (0.1, 1.0), assumed("autoreceptors; no size read"), "brake of serotonin on its release"),
        Parameter("other", 0.2, "1", (0.1, 0.4), assumed("other transporters and diffusion"), "share of clearance past the transporter", grounds=Grounds(most=1.0)),
        Parameter("k_content", 0.039, "1/h", (0.02, 0.06), assumed("tissue serotonin turns over in about 18 h"), "turnover of stores"),
        Parameter("sert_max", 0.3, "1", (0.1, 0.6), fitted("binding falls with dose in monkeys and by less than a tenth in people", "Yamanaka2014SERT", "Spies2018"), "greatest share of transporter taken in", grounds=Grounds(most=1.0)),
        Parameter("sert_half", 3.0, "uM", (1.0, 12.0), fitted("binding falls with dose in monkeys and by less than a tenth in people", "Yamanaka2014SERT", "Spies2018"), "unbound drug at half of that"),
        Parameter("k_sert", 4.0, "1/h", (1.0, 10.0), fitted("down during the infusion, nothing left at a day", "Yamanaka2014SERT"), "pace of the transporter"),
        Parameter("k_up", 1.0, "1/h", (0.1, 2.0), fitted("16.7 % more binding in people a day to three after", "Tiger2020"), "recruitment of 5-HT1B receptors"),
        Parameter("half_1b", 1.5, "1", (0.5, 4.0), fitted("16.7 % more binding in people a day to three after", "Tiger2020"), "AMPA current above rest at half of that"),
        Parameter("most", 1.5, "1", (1.2, 2.0), fitted("16.7 % more binding in people a day to three after", "Tiger2020"), "most receptors at the membrane"),
        Parameter("k_down", 0.0144, "1/h", (0.006, 0.05), assumed("half-life of two days, as of many receptors"), "loss of what was added"),
        Parameter("occupied", 0.2, "1", (0.1, 0.4), fitted("releasers of serotonin lower the tracer by 13 to 31 %", "Yang2018"), "serotonin over its affinity at the tracer's site, at rest"),
        Parameter("needed", 0.35, "1", (0.15, 0.6), assumed("part of the resting signal is enough"), "signal at which half is permitted"),
        Parameter("k_age", 0.0107, "1/h", (0.006, 0.03), fitted("what is born keeps pace with the spines that one dose adds, from a day to two weeks"), "ageing of spines born of the drug"),
    ),
    reads=(
        Read("current", "1", of="ampa.current"),
        Read("drug", "uM", of="plasma.brain"),
        Read("formation", "1", of="spines.formation"),
        Read("k_reform", "1/h", of="spines.k_reform"),
        Read("vacated", "1", of="spines.vacated"),
        Read("k_form", "1/h", of="spines.k_form"),
        Read("free_sites", "1", of="spines.free_sites"),
    ),
    knobs=(
        Knob("pcpa", 0.0, "1", (0.0, 1.0), "synthesis of serotonin inhibited (PCPA)", short=("pcpa",)),
        Knob("ssri", 0.0, "1", (0.0, 1.0), "transporter blocked (an SSRI)", short=("ssri",)),
        Knob("agonist", 0.0, "1", (0.0, 5.0), "5-HT1B agonist (CP94253), over serotonin at rest"),
        Knob("nicotinic_block", 0.0, "1", (0.0, 1.0), "nicotinic receptors of the raphe blocked"),
    ),
    quantities=(
        Quantity(raphe, "1", "release from the raphe, relative to rest"),
        Quantity(signal, "1", "signal of 5-HT1B receptors, relative to rest"),
        Quantity(permit, "1", "how much of what drug-born spines carry may be expressed"),
        Quantity(binding_1b, "1", "binding of a 5-HT1B tracer, relative to rest", short="pet_1b"),
        Quantity(binding_sert, "1", "binding of a transporter tracer, relative to rest", short="pet_sert"),
    ),
    flows=(
        Flow(make, into="content"),
        Flow(release, into="level"),
        Flow(take_up, out_of="level"),
        Flow(expose, into="sert"),
        Flow(recruit, into="receptors"),
        Flow(retire, out_of="receptors"),
        Flow(bear, into="born"),
        Flow(age, out_of="born"),
    ),
)  # fmt: skip

COUPLINGS = (
    Coupling(
        "drivers",
        parameters=(
            Parameter("serotonin", 0.0, "1", (0.0, 1.0), assumed("a rival account, off by default"), "serotonin gates what drug-born spines carry", role="gain"),
        ),
    ),
    Coupling(
        "outcome", "strength", gated,
        using={"gain": "gain_serotonin"},
        reads=(
            Read("born", "1", of="serotonin.born"),
            Read("total", "1", of="spines.total"),
            Read("permit", "1", of="serotonin.permit"),
            Read("gain_serotonin", "1", of="drivers.serotonin"),
        ),
    ),
)  # fmt: skip
