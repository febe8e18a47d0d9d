"""Mu-opioid receptors: endorphin that the surge releases, what the drug itself occupies, tolerance.

Whether opioid tone gates the effect is told by ``opioid``; here stands what moves around it.
Pyramidal firing far above rest releases endorphin for an hour. The drug's own affinity is tens of
micromolar, so that an antidepressant dose occupies a per cent of the receptors or so; what was
found in rats by imaging is more than that, and the two disagree. A signal above rest takes
receptors in, and repeated doses leave fewer, while NMDA receptors are not touched. An opioid given
for long loses its hold (tolerance), unless NMDA receptors are blocked meanwhile. That opioids hold
interneurons down, and so add to disinhibition, is told and switched off.

Left out: kappa and delta receptors, partial agonists such as buprenorphine, withdrawal, reward and
breathing, and regions: one pool stands for all.
"""

from ketasim.core.declare import Flow, Mechanism, Parameter, Quantity, Read, State, story_of
from ketasim.core.evidence import Grounds, assumed, by_test, fitted, seen
from ketasim.core.maths import hill


def bound(s, r, k_s, k_r):
    """Ketamine at mu receptors: concentration over affinity, summed."""
    return s / k_s + r / k_r


def occupancy(bound):
    """Share of mu receptors that ketamine occupies."""
    return bound / (1 + bound)


def endorphin_aim(rate, gain_endorphin, half):
    """Where endorphin is heading: up when pyramidal cells fire far above rest."""
    return 1 + gain_endorphin * hill(rate - 1, half, 2 * 2)


def signal(density, endorphin, efficacy, occupancy, tone):
    """Mu signal relative to rest, by endorphin and by the drug, as far as no antagonist is there."""
    return density * (endorphin + efficacy * occupancy) * tone


def guard(block, guard_half):
    """How far block of NMDA receptors keeps tolerance away."""
    return block / (guard_half + block)


def tolerance_aim(agonist, guard):
    """Where tolerance is heading under an agonist in units of its half-effective concentration."""
    return agonist / (1 + agonist) * (1 - guard)


def morphine_ed50(tolerance, most_tolerance):
    """Dose of morphine for half of its effect, relative to no tolerance."""
    return 1 + (most_tolerance - 1) * tolerance


def interneurons_left(signal, weight):
    """Firing of interneurons that mu receptors leave; 1 at the resting signal."""
    return 1 - weight * (signal - 1)


def held_down(before, interneurons_left, gain):
    """Interneuron firing under mu receptors, as far as that account is switched on."""
    return before * (1 + gain * (interneurons_left - 1))


def follow(target, level, k):
    """A level moves to its target."""
    return k * (target - level)


def renew(density, k_renew):
    """Receptors are renewed up to rest."""
    return k_renew * (1 - density)


def take_in(signal, density, half_signal, k_take):
    """A signal above rest takes receptors in."""
    return k_take * hill(signal - 1, half_signal, 2) * density


MU = Mechanism(
    name="mu",
    story=story_of(__doc__),
    states=(
        State("endorphin", 1.0, "1", "endorphin, relative to rest"),
        State("density", 1.0, "1", "mu receptors, relative to rest", within=(0.0, 1.0), short="mu", identifiers=("uniprot/P35372",)),
        State("tolerance", 0.0, "1", "tolerance to an opioid agonist, of the most", within=(0.0, 1.0)),
    ),
    parameters=(
        Parameter("k_s", 30.0, "uM", (11.0, 60.0), fitted("racemate 42 uM, S- two to three times as strong as R-ketamine", "Hirota1999"), "affinity of S-ketamine at mu", grounds=Grounds(seen=seen(11.0, 30.0, "11 uM in another table (not confirmed)", "Hirota1999"))),
        Parameter("k_r", 75.0, "uM", (28.0, 150.0), fitted("racemate 42 uM, S- two to three times as strong as R-ketamine", "Hirota1999"), "affinity of R-ketamine at mu", grounds=Grounds(seen=seen(28.0, 75.0, "28 uM in another table (not confirmed)", "Hirota1999"))),
        Parameter("efficacy", 1.0, "1", (0.0, 3.0), assumed("S-ketamine is a partial agonist; size not in the evidence"), "signal of ketamine at full occupancy, in units of resting endorphin"),
        Parameter("gain_endorphin", 1.0, "1", (0.0, 3.0), assumed("no measurement of endorphin after ketamine was found"), "greatest rise of endorphin"),
        Parameter("half", 1.0, "1", (0.3, 4.0), assumed("cells must fire twice as much or more"), "rise of pyramidal firing that releases half of it"),
        Parameter("k_endorphin", 2.0, "1/h", (0.5, 6.0), assumed("peptides are released and cleared within the hour"), "pace of endorphin"),
        Parameter("k_renew", 0.005, "1/h", (0.002, 0.02), assumed("receptors are made anew within a week"), "renewal of mu receptors"),
        Parameter("k_take", 0.1, "1/h", (0.02, 0.4), fitted("repeated S-ketamine lowers mu density", "Levinstein2023"), "uptake of mu receptors under a full signal"),
        Parameter("half_signal", 0.5, "1", (0.2, 2.0), assumed("half as much again as at rest"), "signal above rest that takes receptors in at half the pace"),
        Parameter("k_tolerance", 0.03, "1/h", (0.01, 0.1), assumed("tolerance builds within days"), "pace of tolerance"),
        Parameter("most_tolerance", 10.0, "1", (3.0, 46.0), fitted("tenfold with pellets, 46-fold at the spinal cord", "Shimoyama1996"), "greatest dose of morphine for the same effect, relative to none"),
        Parameter("guard_half", 0.01, "1", (0.003, 0.05), fitted("0.3 to 10 mg/kg prevents more and more of tolerance", "Shimoyama1996"), "block of NMDA receptors that keeps half of tolerance away"),
        Parameter("weight", 0.01, "1", (0.002, 0.015), assumed("opioids silence interneurons; size not in the evidence, and small because the circuit multiplies it many times"), "firing of interneurons lost as the mu signal doubles, where that is switched on", grounds=Grounds(high=by_test("held, so that firing and the endorphin it releases do not keep each other up"), most=1.0)),
    ),
    reads=(
        Read("s", "uM", of="pk_s.brain"),
        Read("r", "uM", of="pk_r.brain"),
        Read("rate", "1", of="circuit.pyramidal_rate"),
        Read("tone", "1", of="opioid.tone"),
        Read("block", "1", of="nmda.pyramidal_block"),
        Read("agonist", "1", of="safety.opioid_agonist", default=0.0),
    ),
    quantities=(
        Quantity(bound, "1", "ketamine at mu receptors over affinity"),
        Quantity(occupancy, "1", "share of mu receptors that ketamine occupies", short="mu_occupancy"),
        Quantity(endorphin_aim, "1", "where endorphin is heading"),
        Quantity(signal, "1", "mu signal, relative to rest"),
        Quantity(guard, "1", "how far NMDA block keeps tolerance away"),
        Quantity(tolerance_aim, "1", "where tolerance is heading"),
        Quantity(morphine_ed50, "1", "dose of morphine for half of its effect, relative to no tolerance"),
        Quantity(interneurons_left, "1", "firing of interneurons that mu receptors leave"),
    ),
    flows=(
        Flow(follow, into="endorphin", using={"target": "endorphin_aim", "level": "endorphin", "k": "k_endorphin"}),
        Flow(renew, into="density"),
        Flow(take_in, out_of="density"),
        Flow(follow, into="tolerance", using={"target": "tolerance_aim", "level": "tolerance", "k": "k_tolerance"}),
    ),
)  # fmt: skip
