"""Interneurons and pyramidal cells of prefrontal cortex, as mean rates.

Interneurons are driven for the most part through NMDA receptors and fire near threshold, so that a
small loss of drive is a large loss of firing. When the drug takes that drive they fall silent at
once; the GABA they leave behind wanes over minutes, and only then do pyramidal cells rise:
interneurons first, pyramidal cells after. Three things hold the surge: pyramidal cells lose NMDA
drive of their own, most at high doses (an inverted U); interneurons make up for a lasting loss of
drive within an hour or so; and a cell has only so much room to fire. The firing of pyramidal cells
answers that loss at the pace at which GABA wanes: no recording shows them fall before they rise, as
they would if what they lose told at once and what they gain after minutes.

How far synaptic glutamate rises at the reference dose is the number that is stated (``surge``); the
pulls that bring it there follow, from what the receptors have lost at that dose
(``mechanisms/anchors.py``). Recurrent excitation is stated by the largest gain its loop can have
anywhere, which is below 1: the circuit cannot hold itself up, whatever the other numbers.

Left out: drive of interneurons by the pyramidal cells they inhibit; block of AMPA receptors on
interneurons, which an antagonist takes from both kinds of cell alike; spikes and gamma rhythm,
subtypes of interneurons beyond their receptors, thalamus, and layers.
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
from ketasim.core.evidence import Grounds, assumed, by_test, derived, fitted, seen
from ketasim.core.maths import exp, fold, log


def rate_reference(surge, k_brake, k_release, pulse):
    """Pyramidal firing that brings the surge about, against the brake and the emptying of vesicles."""
    return surge * (1 + k_brake * surge) / (1 + k_brake) * (1 + k_release * surge * pulse)


def rate_most(rate_reference, headroom):
    """Greatest pyramidal firing relative to rest."""
    return rate_reference * headroom


def pull(rate_reference, rate_most):
    """Net excitation that lifts firing from rest to its height at the reference dose."""
    return log((rate_most - 1) * rate_reference / (rate_most - rate_reference))


def g_ampa(loop_gain, rate_most):
    """Pull of AMPA drive: a quarter of the ceiling is the steepest that firing can answer."""
    return 2 * 2 * loop_gain / rate_most


def drive_lost(nmda_share, reference_loss, regained, k_adapt, pulse):
    """Interneuron drive lost at the height of the surge, less what adaptation has given back."""
    return nmda_share * reference_loss * (1 - regained * (1 - exp(-k_adapt * pulse)))


def released(drive_lost, steepness):
    """Inhibition that pyramidal cells are rid of at the height of the surge."""
    return 1 - fold(1 - drive_lost, 2 * 2, steepness)


def g_inhibition(pull, g_ampa, surge, released, opposed):
    """Pull of inhibition on pyramidal cells."""
    return (pull - g_ampa * (surge - 1)) / (released * (1 - opposed))


def g_nmda(opposed, g_inhibition, released, reference_loss):
    """Pull of lost NMDA drive: the part of disinhibition it takes back at the reference dose."""
    return opposed * g_inhibition * released / reference_loss


def left(lost, adapted, regained):
    """NMDA drive of interneurons that is left, with what they make up for by adapting."""
    return 1 - lost + regained * adapted


def interneuron_drive(nmda_share, coagonist, left):
    """Drive of interneurons relative to rest, through NMDA receptors and otherwise."""
    return nmda_share * coagonist * left + 1 - nmda_share


def interneuron_rate(interneuron_drive, steepness):
    """Interneuron firing relative to rest; near threshold, a little drive is much firing."""
    return fold(interneuron_drive, 2 * 2, steepness)


def inhibition(gaba, modulator, modulator_effect):
    """Inhibition that pyramidal cells feel from interneurons."""
    return gaba * (1 - modulator_effect * modulator)


def recurrence(glutamate, antagonist, g_ampa):
    """Excitation of pyramidal cells by one another, above rest."""
    return g_ampa * (glutamate * (1 - antagonist) - 1)


def excitation(recurrence, photostimulation, lost, g_nmda, agonist, agonist_effect):
    """Excitation of pyramidal cells above rest, less what a GABA-A agonist takes."""
    return recurrence + photostimulation - g_nmda * lost - agonist_effect * agonist


def pyramidal_rate(excitation, inhibition, g_inhibition, silencing, rate_most):
    """Pyramidal firing relative to rest, between 0 and its ceiling."""
    held = exp(log(rate_most - 1) + g_inhibition * (inhibition - 1) - excitation)
    return rate_most / (1 + held) * (1 - silencing)


def follow(rate, level, k):
    """A level follows a rate."""
    return k * (rate - level)


CIRCUIT = Mechanism(
    name="circuit",
    story=story_of(__doc__),
    states=(
        State("gaba", 1.0, "1", "GABA tone, relative to rest", short="gaba", identifiers=("chebi/CHEBI:16865",)),
        State("drive_loss", 0.0, "1", "lost NMDA drive of pyramidal cells, as far as their firing has answered it", scale=0.5),
        State("adapted", 0.0, "1", "loss of drive that interneurons have adapted to", scale=0.5),
    ),
    parameters=(
        Parameter("surge", 3.216, "1", (2.0, 4.0), fitted("a dialysate about a third up (not confirmed), a fifth or so of it vesicular (assumed), is a two- to fourfold rise where receptors stand"), "synaptic glutamate at the reference dose, relative to rest", grounds=Grounds(seen=seen(1.3, 4.75, "dialysate 1.3 of rest taken as all vesicular, to 2.5 with two fifths vesicular (folds not confirmed)", "Milak2016", "Hascup2010", "Melendez2005"), least=1.0)),
        Parameter("pulse", 0.7, "h", (0.7, 0.7), derived("about the length of the infusion"), "time for which a reference dose holds a stage up", role="setting"),
        Parameter("headroom", 1.264, "1", (1.2, 3.0), fitted("pyramidal cells can fire several times their resting rate"), "greatest firing over that at the reference dose", grounds=Grounds(least=1.0)),
        Parameter("reserve", 1.431, "1", (1.3, 4.0), fitted("how far above the reference dose a stage can be driven; one number for all, since none was found for any"), "greatest call over that at the reference dose, of every stage after the circuit", grounds=Grounds(least=1.0)),
        Parameter("loop_gain", 0.424, "1", (0.2, 0.9), assumed("recurrent excitation is present and does not run away by itself"), "largest gain of recurrent excitation at any rate", grounds=Grounds(most=1.0)),
        Parameter("nmda_share", 0.735, "1", (0.6, 0.9), assumed("NMDA receptors carry most tonic drive of these interneurons"), "share of interneuron drive through NMDA receptors", grounds=Grounds(most=1.0)),
        Parameter("steepness", 4.19, "1", (1.5, 6.0), fitted("fast-firing cells stand near threshold, where firing changes several times as much as drive"), "steepness of interneuron firing on drive"),
        Parameter("opposed", 0.7648, "1", (0.1, 0.8), fitted("smaller surge at anaesthetic doses", "Li2010"), "share of disinhibition that block on pyramidal cells takes back at the reference dose", grounds=Grounds(high=by_test("was 0.6, so that a large dose does less"), most=1.0)),
        Parameter("k_gaba", 6.531, "1/h", (4.0, 30.0), fitted("pyramidal cells rise minutes after interneurons fall, and do not fall first", "Homayoun2007"), "waning of GABA tone, and answer of pyramidal cells to what they lose themselves"),
        Parameter("k_adapt", 1.549, "1/h", (0.3, 4.0), fitted("no surge of glutamate as a high dose wears off, and none left in people after two hours", "Li2010", "Milak2016"), "pace of interneuron adaptation"),
        Parameter("regained", 0.2227, "1", (0.1, 0.95), fitted("no surge of glutamate as a high dose wears off, and none left in people after two hours", "Li2010", "Milak2016"), "share of a lasting loss of drive that interneurons make up for", grounds=Grounds(most=1.0)),
        Parameter("agonist_effect", 5.2, "1", (3.0, 9.0), assumed("muscimol in infralimbic cortex abolishes the effect; a full agonist all but silences a cell"), "fall of firing under a full GABA-A agonist, as a logarithm"),
        Parameter("modulator_effect", 0.35, "1", (0.1, 0.6), assumed("alpha5 receptors carry about a third of tonic inhibition"), "inhibition removed by a full alpha5 negative modulator", grounds=Grounds(seen=seen(0.0, 0.47, "none of tonic current at low ambient GABA to 47 % missing in alpha5 knock-outs, hippocampus; phasic unchanged", "Glykys2006", "Scimemi2005"), most=1.0)),
    ),
    reads=(
        Read("glutamate", "1", of="glutamate.synaptic"),
        Read("coagonist", "1", of="glutamate.coagonist"),
        Read("k_brake", "1", of="glutamate.k_brake"),
        Read("k_release", "1/h", of="glutamate.k_release"),
        Read("antagonist", "1", of="ampa.antagonist"),
        Read("interneuron_lost", "1", of="nmda.interneuron_loss"),
        Read("pyramidal_lost", "1", of="nmda.pyramidal_loss"),
        Read("interneuron_reference", "1", of="nmda.interneuron_reference"),
        Read("pyramidal_reference", "1", of="nmda.pyramidal_reference"),
    ),
    knobs=(
        Knob("gaba_agonist", 0.0, "1", (0.0, 1.0), "GABA-A agonist (muscimol) in cortex", short=("muscimol",)),
        Knob("a5_modulator", 0.0, "1", (-1.0, 1.0), "alpha5 GABA-A negative modulator; below 0 positive"),
        Knob("photostimulation", 0.0, "1", (0.0, 5.0), "direct drive of pyramidal cells"),
        Knob("silencing", 0.0, "1", (0.0, 1.0), "pyramidal cells silenced"),
    ),
    derived=(
        Derived(rate_reference, "1", "pyramidal firing at the reference dose"),
        Derived(rate_most, "1", "greatest pyramidal firing"),
        Derived(pull, "1", "net excitation at the reference dose"),
        Derived(g_ampa, "1", "pull of AMPA drive on pyramidal cells"),
        Derived(drive_lost, "1", "interneuron drive lost at the reference dose", using={"reference_loss": "interneuron_reference"}),
        Derived(released, "1", "inhibition lost at the reference dose"),
        Derived(g_inhibition, "1", "pull of inhibition on pyramidal cells"),
        Derived(g_nmda, "1", "pull of lost NMDA drive on pyramidal cells", using={"reference_loss": "pyramidal_reference"}),
    ),
    quantities=(
        Quantity(left, "1", "NMDA drive of interneurons that is left", using={"lost": "interneuron_lost"}),
        Quantity(interneuron_drive, "1", "interneuron drive, relative to rest"),
        Quantity(interneuron_rate, "1", "interneuron firing, relative to rest"),
        Quantity(inhibition, "1", "inhibition of pyramidal cells, relative to rest", using={"modulator": "a5_modulator"}),
        Quantity(recurrence, "1", "excitation of pyramidal cells by one another, above rest"),
        Quantity(excitation, "1", "excitation of pyramidal cells above rest", using={"lost": "drive_loss", "agonist": "gaba_agonist"}),
        Quantity(pyramidal_rate, "1", "pyramidal firing, relative to rest"),
    ),
    flows=(
        Flow(follow, into="gaba", using={"rate": "interneuron_rate", "level": "gaba", "k": "k_gaba"}),
        Flow(follow, into="drive_loss", using={"rate": "pyramidal_lost", "level": "drive_loss", "k": "k_gaba"}),
        Flow(follow, into="adapted", using={"rate": "interneuron_lost", "level": "adapted", "k": "k_adapt"}),
    ),
)  # fmt: skip
