"""BDNF: a store, what is released from it, and what becomes of that.

Part of release follows calcium through L-type channels, which AMPA receptors open: less of their
current releases less, more releases more. The store is small: strong release empties it and the
pulse ends by itself. Its refill goes on at its own pace. Where the resting-receptor account is switched on, BDNF is also translated
at the synapse when its eEF2 kinase falls silent; S6 kinase, which restrains the kinase elsewhere
in the cell, does not count there, so that BDNF cannot call for more BDNF.

Left out: proBDNF, the Val66Met variant, transcription by exon, and release from other cells.
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
from ketasim.core.evidence import Grounds, assumed, derived, fitted, unsourced
from ketasim.core.maths import exp, fold
from ketasim.mechanisms.anchors import ceiling, steepness


def called(reached, k_clear, k_spend, share_release, pulse):
    """Release called for at the reference dose: what is reached outside, and what the store lost."""
    arrived = (1 - exp(-k_clear * pulse)) * exp(-k_spend * pulse)
    return 1 + (reached - 1) / (share_release * arrived)


def k_release(k_spend, called, share_release):
    """Release of the store at rest."""
    return k_spend / (1 - share_release + share_release * called)


def k_synthesis(k_release, k_decay):
    """Synthesis that balances release and decay at rest."""
    return k_release + k_decay


def calcium(current, lvdcc_block, d1_block, d1_share):
    """Calcium through L-type channels relative to rest."""
    return current * (1 - lvdcc_block) * (1 - d1_share * d1_block)


def urged(calcium, most, steepness):
    """What calcium calls for, relative to rest."""
    return fold(calcium, most, steepness)


def release_drive(urged, share_release):
    """Release relative to rest."""
    return 1 - share_release + share_release * urged


def synthesis_drive(urged, transcription_block, share_transcription):
    """Synthesis relative to rest, in part through transcription that calcium calls for."""
    return 1 - share_transcription + share_transcription * urged * (1 - transcription_block)


def translated(silenced, gain_translation, knockout, anisomycin):
    """BDNF made in dendrites once eEF2 kinase is silent, and secreted at once."""
    made = gain_translation * silenced
    return made * (1 - knockout) * (1 - anisomycin)


def free(extracellular, antibody, release_factor):
    """BDNF that can reach TrkB."""
    return extracellular * (1 - antibody) + release_factor


def synthesise(k_synthesis, synthesis_drive, knockout, anisomycin):
    """BDNF is made."""
    return k_synthesis * synthesis_drive * (1 - knockout) * (1 - anisomycin)


def decay(store, k_decay):
    """Stored BDNF is degraded."""
    return k_decay * store


def spend(store, k_release, release_drive):
    """The store is spent."""
    return k_release * store * release_drive


def appear(store, k_clear, release_drive, translated):
    """Released BDNF appears outside, in units of its resting level there."""
    return k_clear * (store * release_drive + translated)


def clear(extracellular, k_clear):
    """Extracellular BDNF is cleared."""
    return k_clear * extracellular


BDNF = Mechanism(
    name="bdnf",
    story=story_of(__doc__),
    states=(
        State("store", 1.0, "1", "releasable BDNF, relative to rest", identifiers=("uniprot/P23560",)),
        State("extracellular", 1.0, "1", "extracellular BDNF, relative to rest", short="bdnf", identifiers=("uniprot/P23560",)),
    ),
    parameters=(
        Parameter("reached", 3.46, "1", (2.0, 6.0), derived("1.4-fold in whole tissue to several-fold where it is released; local size not in the evidence", "Yang2013"), "extracellular BDNF at the reference dose, relative to rest", grounds=Grounds(least=1.0)),
        Parameter("share_release", 0.689, "1", (0.5, 0.95), assumed("the rest of resting release is constitutive"), "share of resting release that L-type calcium calls for", grounds=Grounds(most=1.0)),
        Parameter("k_spend", 0.245, "1/h", (0.1, 1.0), assumed("strong release empties the store within hours"), "emptying of the store at the reference dose"),
        Parameter("k_decay", 0.0632, "1/h", (0.02, 0.2), assumed("half-life of about half a day"), "decay of the store"),
        Parameter("k_clear", 5.736, "1/h", (2.0, 15.0), fitted("released BDNF is gone within the hour"), "clearance of extracellular BDNF"),
        Parameter("gain_translation", 5.0, "1", (0.0, 10.0), assumed("BDNF protein up within half an hour of a fall of phospho-eEF2; size set so that the account can reach a comparable pulse"), "BDNF secreted when eEF2 kinase is silent", grounds=Grounds(high=unsourced("moved with its value, so that the account can reach a comparable effect"))),
        Parameter("share_transcription", 0.2, "1", (0.0, 0.4), assumed("small: the effect survives block of transcription"), "share of synthesis through new transcripts", grounds=Grounds(most=1.0)),
        Parameter("d1_share", 0.775, "1", (0.6, 1.0), assumed("D1 pyramidal cells are needed for the effect"), "share of calcium that needs D1 cells", grounds=Grounds(most=1.0)),
    ),
    reads=(
        Read("current", "1", of="ampa.current"),
        Read("surge", "1", of="circuit.surge"),
        Read("pulse", "h", of="circuit.pulse"),
        Read("headroom", "1", of="circuit.reserve"),
        Read("silenced", "1", of="translation.silenced"),
        Read("anisomycin", "1", of="translation.anisomycin"),
    ),
    knobs=(
        Knob("lvdcc_block", 0.0, "1", (0.0, 1.0), "L-type calcium channels blocked"),
        Knob("d1_block", 0.0, "1", (0.0, 1.0), "D1 receptors blocked"),
        Knob("antibody", 0.0, "1", (0.0, 1.0), "extracellular BDNF bound by an antibody", short=("anti_bdnf",)),
        Knob("release_factor", 0.0, "1", (0.0, 20.0), "BDNF added from outside, in units of rest"),
        Knob("knockout", 0.0, "1", (0.0, 1.0), "BDNF synthesis knocked out"),
        Knob("transcription_block", 0.0, "1", (0.0, 1.0), "transcription blocked (actinomycin D)"),
    ),
    derived=(
        Derived(called, "1", "release called for at the reference dose"),
        Derived(ceiling, "1", "greatest release that can be called for", "most"),
        Derived(steepness, "1", "steepness of the call", using={"ceiling": "most", "upstream": "surge"}),
        Derived(k_release, "1/h", "release of the store at rest"),
        Derived(k_synthesis, "1/h", "synthesis at rest"),
    ),
    quantities=(
        Quantity(calcium, "1", "calcium through L-type channels, relative to rest"),
        Quantity(urged, "1", "what calcium calls for, relative to rest"),
        Quantity(release_drive, "1", "BDNF release, relative to rest"),
        Quantity(synthesis_drive, "1", "BDNF synthesis, relative to rest"),
        Quantity(translated, "1", "BDNF secreted as it is translated, in units of rest"),
        Quantity(free, "1", "BDNF that can reach TrkB, relative to rest"),
    ),
    flows=(
        Flow(synthesise, into="store"),
        Flow(decay, out_of="store"),
        Flow(spend, out_of="store"),
        Flow(appear, into="extracellular"),
        Flow(clear, out_of="extracellular"),
    ),
)  # fmt: skip
