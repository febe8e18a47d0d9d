"""Interneurons and pyramidal cells of prefrontal cortex, as mean rates.

Interneurons are driven by pyramidal glutamate through NMDA and AMPA receptors. When the drug takes
their NMDA drive they fall silent at once; the GABA they leave behind wanes over minutes, and only
then do pyramidal cells rise: interneurons first, pyramidal cells after. Rising glutamate drives
interneurons again, which limits the surge. At high doses pyramidal cells lose NMDA drive of their
own and the surge is smaller: an inverted U. Over days inhibition adapts to hold the mean rate.

Left out: spikes and gamma rhythm, subtypes of interneurons beyond their receptors, thalamus, and
layers. Rates are relative to rest and limited to twice rest.
"""

from ketasim.core.declare import Flow, Knob, Mechanism, Parameter, Quantity, Read, State, story_of
from ketasim.core.evidence import Grounds, assumed, by_test, fitted, measured
from ketasim.core.maths import exp


def interneuron_rate(glutamate, nmda_share, coagonist, lost, antagonist):
    """Interneuron firing from the NMDA and AMPA drive it has left."""
    return glutamate * (nmda_share * coagonist * (1 - lost) + (1 - nmda_share) * (1 - antagonist))


def inhibition(gaba, homeostasis, modulator, agonist, modulator_effect, agonist_effect):
    """Inhibition that pyramidal cells feel."""
    return gaba * homeostasis * (1 - modulator_effect * modulator) + agonist_effect * agonist


def excitation(glutamate, antagonist, photostimulation, g_ampa, lost, g_nmda):
    """Excitation of pyramidal cells relative to rest."""
    return g_ampa * (glutamate * (1 - antagonist) - 1) + photostimulation - g_nmda * lost


def pyramidal_rate(excitation, inhibition, g_inhibition, silencing):
    """Pyramidal firing relative to rest, between 0 and 2."""
    return 2 / (1 + exp(g_inhibition * (inhibition - 1) - excitation)) * (1 - silencing)


def follow(rate, level, k):
    """A level follows a rate."""
    return k * (rate - level)


def adapt(rate, homeostasis, k_homeostasis, strength):
    """Inhibition strengthens slowly while firing exceeds rest."""
    return k_homeostasis * (1 + strength * (rate - 1) - homeostasis)


CIRCUIT = Mechanism(
    name="circuit",
    story=story_of(__doc__),
    states=(
        State("gaba", 1.0, "1", "GABA tone, relative to rest", short="gaba", identifiers=("chebi/CHEBI:16865",)),
        State("homeostasis", 1.0, "1", "slow adaptation of inhibition, relative to rest"),
    ),
    parameters=(
        Parameter("nmda_share", 0.8, "1", (0.6, 0.9), assumed("NMDA receptors carry most tonic drive of these interneurons"), "share of interneuron drive through NMDA receptors", grounds=Grounds(most=1.0)),
        Parameter("g_ampa", 0.5, "1", (0.2, 0.8), assumed("below the inhibition it recruits, so that recurrent excitation is stable"), "pull of AMPA drive on pyramidal cells", grounds=Grounds(high=by_test("below the inhibition it recruits, so that recurrent excitation is stable in every draw"))),
        Parameter("g_nmda", 1.71, "1", (1.0, 4.0), fitted("smaller surge at anaesthetic doses", "Li2010"), "pull of lost NMDA drive on pyramidal cells"),
        Parameter("g_inhibition", 3.85, "1", (2.0, 6.0), fitted("rat prefrontal glutamate at 10 and 30 mg/kg", "Moghaddam1997"), "pull of inhibition on pyramidal cells"),
        Parameter("k_gaba", 8.0, "1/h", (4.0, 30.0), assumed("pyramidal cells rise minutes after interneurons fall"), "waning of GABA tone"),
        Parameter("k_homeostasis", 1 / 72, "1/h", (1 / 150, 1 / 36), assumed("homeostatic scaling takes about three days"), "pace of homeostasis"),
        Parameter("strength", 0.5, "1", (0.0, 1.0), assumed("partial compensation"), "strength of homeostasis", grounds=Grounds(most=1.0)),
        Parameter("agonist_effect", 3.0, "1", (1.5, 6.0), measured("muscimol in infralimbic cortex abolishes the effect", "Fuchikami2015"), "inhibition added by a full GABA-A agonist"),
        Parameter("modulator_effect", 0.35, "1", (0.1, 0.6), assumed("alpha5 receptors carry about a third of tonic inhibition"), "inhibition removed by a full alpha5 negative modulator", grounds=Grounds(most=1.0)),
    ),
    reads=(
        Read("glutamate", "1", of="glutamate.relative"),
        Read("coagonist", "1", of="glutamate.coagonist"),
        Read("antagonist", "1", of="ampa.antagonist"),
        Read("interneuron_lost", "1", of="nmda.interneuron_loss"),
        Read("pyramidal_lost", "1", of="nmda.pyramidal_loss"),
    ),
    knobs=(
        Knob("gaba_agonist", 0.0, "1", (0.0, 1.0), "GABA-A agonist (muscimol) in cortex", short=("muscimol",)),
        Knob("a5_modulator", 0.0, "1", (-1.0, 1.0), "alpha5 GABA-A negative modulator; below 0 positive"),
        Knob("photostimulation", 0.0, "1", (0.0, 5.0), "direct drive of pyramidal cells"),
        Knob("silencing", 0.0, "1", (0.0, 1.0), "pyramidal cells silenced"),
    ),
    quantities=(
        Quantity(interneuron_rate, "1", "interneuron firing, relative to rest", using={"lost": "interneuron_lost"}),
        Quantity(inhibition, "1", "inhibition of pyramidal cells, relative to rest", using={"modulator": "a5_modulator", "agonist": "gaba_agonist"}),
        Quantity(excitation, "1", "excitation of pyramidal cells above rest", using={"lost": "pyramidal_lost"}),
        Quantity(pyramidal_rate, "1", "pyramidal firing, relative to rest"),
    ),
    flows=(
        Flow(follow, into="gaba", using={"rate": "interneuron_rate", "level": "gaba", "k": "k_gaba"}),
        Flow(adapt, into="homeostasis", using={"rate": "pyramidal_rate"}),
    ),
)  # fmt: skip
