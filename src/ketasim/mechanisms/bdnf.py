"""BDNF: a store, what is released from it, and what becomes of that.

Release rises with calcium through L-type channels, which open when AMPA receptors drive the cell
above rest. The store is small: strong release empties it and the pulse ends by itself. Its refill
goes on at its own pace. Where the resting-receptor account is switched on, BDNF is also translated
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
from ketasim.core.evidence import Grounds, assumed, by_test, fitted, unsourced
from ketasim.core.maths import hill


def k_synthesis(k_release, k_decay):
    """Synthesis that balances release and decay at rest."""
    return k_release + k_decay


def calcium(current, lvdcc_block, d1_block, d1_share):
    """Calcium through L-type channels relative to rest."""
    return current * (1 - lvdcc_block) * (1 - d1_share * d1_block)


def release_drive(calcium, gain_release, half_release, steep_release):
    """Release relative to rest."""
    return 1 + gain_release * hill(calcium - 1, half_release, steep_release)


def synthesis_drive(calcium, transcription_block, gain_transcription, half_release, steep_release):
    """Synthesis relative to rest, raised by calcium through transcription."""
    return 1 + gain_transcription * (1 - transcription_block) * hill(
        calcium - 1, half_release, steep_release
    )


def translated(
    silenced, gain_translation, half_translation, steep_translation, knockout, anisomycin
):
    """BDNF made in dendrites once eEF2 kinase is silent, and secreted at once."""
    made = gain_translation * hill(silenced, half_translation, steep_translation)
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
        Parameter("k_release", 0.12, "1/h", (0.05, 0.3), assumed("a store that lasts about a day at rest"), "release of the store at rest"),
        Parameter("k_decay", 0.06, "1/h", (0.02, 0.2), assumed("half-life of about half a day"), "decay of the store"),
        Parameter("k_clear", 3.0, "1/h", (2.0, 10.0), assumed("released BDNF is gone within the hour"), "clearance of extracellular BDNF"),
        Parameter("gain_release", 7.85, "1", (3.0, 14.0), fitted("mTORC1 pulse and 24-hour effect", "Li2010"), "release added by calcium"),
        Parameter("half_release", 0.235, "1", (0.18, 0.5), fitted("doses at which BDNF and mTOR rise", "Yang2013"), "excess calcium for half the effect"),
        Parameter("steep_release", 3.0, "1", (3.0, 5.0), assumed("several calcium ions; no slope at rest"), "steepness of release", role="exponent", grounds=Grounds(low=by_test("no slope at rest, so that rest is stable in every draw"))),
        Parameter("gain_translation", 5.0, "1", (0.0, 10.0), assumed("BDNF protein up within half an hour of a fall of phospho-eEF2; size set so that the account can reach a comparable pulse"), "BDNF secreted when eEF2 kinase is silent", grounds=Grounds(high=unsourced("moved with its value, so that the account can reach a comparable effect"))),
        Parameter("half_translation", 0.35, "1", (0.2, 0.8), assumed("about a third of the kinase"), "silenced share for half the effect", grounds=Grounds(low=unsourced("moved with its value, so that the account can reach a comparable effect"), most=1.0)),
        Parameter("steep_translation", 2.0, "1", (2.0, 4.0), assumed("no slope at rest"), "steepness of secretion on silencing", role="exponent", grounds=Grounds(low=by_test("no slope at rest, so that rest is stable in every draw"))),
        Parameter("gain_transcription", 0.2, "1", (0.0, 0.6), assumed("small: the effect survives block of transcription"), "synthesis added by transcription"),
        Parameter("d1_share", 0.9, "1", (0.6, 1.0), assumed("D1 pyramidal cells are needed for the effect"), "share of calcium that needs D1 cells", grounds=Grounds(most=1.0)),
    ),
    reads=(
        Read("current", "1", of="ampa.current"),
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
    derived=(Derived(k_synthesis, "1/h", "synthesis at rest"),),
    quantities=(
        Quantity(calcium, "1", "calcium through L-type channels, relative to rest"),
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
