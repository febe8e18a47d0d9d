"""Function, mood and the score: how many synapses there are, times how strong each is.

Strength is spine density times the AMPA receptors of each synapse. More receptors restore function
within hours, before any spine has formed; spines keep what was gained. Mood follows function within
an hour or so. What has lasted for a month becomes usual, and only what lies apart from the usual
has to be carried: by AMPA receptors that work at the moment of the test, and, where that account is
switched on, by opioid tone. So a blocker takes the drug's effect and leaves an untreated animal as
it is.

A patient's score has three further parts that are no effect of the drug and are the same in both
arms: what a visit raises within a day (``expectation``), what care and time bring within weeks
(``care``), and the end of the scale, below which nobody can fall.

The numbers stated are those of a rating scale and a dendrite: the score of an episode, the spines
lost in it, and how much of the deficit they explain. Weights follow from these.

Left out: the difference between behavioural tests, anhedonia, suicidality and cognition as
separate outcomes, and dissociation.
"""

from math import inf

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
from ketasim.core.evidence import Grounds, assumed, by_test, derived, fitted, seen, unsourced
from ketasim.core.maths import fold, power


def episode(score_episode, score_healthy, score_span):
    """What is missing to healthy mood in an episode, read from its score."""
    return (score_episode - score_healthy * score_healthy / score_episode) / score_span


def weight(episode, by_spines, lost, most):
    """Function per unit of strength, such that the spines lost explain their part of an episode."""
    return by_spines * episode / (1 - fold(1 - lost, most, 1))


def weight_stress(episode, by_spines):
    """Function lost directly at full stress."""
    return (1 - by_spines) * episode


def softness(score_healthy, score_span):
    """Rounding of the scale's lower end, so that healthy rest has its score."""
    return 2 * score_healthy / score_span


def strength(density, number, potentiator):
    """What the circuit can pass on relative to rest: how many synapses, and how strong each is."""
    return density * number * (1 + potentiator)


def habenula(trapped, gain, weight_habenula):
    """Lift of mood by a habenula silenced by trapped block."""
    return gain * weight_habenula * trapped


def function(strength, most, weight, load, weight_stress):
    """Function relative to healthy rest; it saturates with strength."""
    return 1 + weight * (fold(strength, most, 1) - 1) - weight_stress * load


def gate(tone, gain):
    """How much of a change reaches mood."""
    return 1 - gain * (1 - tone)


def aim(function, antagonist, habenula, usual, gate):
    """Where mood is heading: from the usual towards what the circuit allows and can carry."""
    return usual + gate * ((1 - antagonist) * (function - usual) + habenula)


def approach(target, level, k):
    """A level moves to its target."""
    return k * (target - level)


def deficit(mood, expectancy, cared, score_span):
    """What is missing to healthy mood, less what expectation and care cover."""
    return 1 - mood - (expectancy + cared) / score_span


def score(deficit, softness, score_span):
    """Depression score; it nears 0 and never passes it."""
    size = power(deficit * deficit + softness * softness, 1 / 2)
    return score_span * (deficit + size) / 2


OUTCOME = Mechanism(
    name="outcome",
    story=story_of(__doc__),
    states=(
        State("mood", 1.0, "1", "mood, relative to healthy rest; an index that may pass 0", within=(-inf, inf)),
        State("usual", 1.0, "1", "mood that has become usual", within=(-inf, inf)),
        State("expectancy", 0.0, "points", "score points owed to expectation", scale=10.0),
        State("cared", 0.0, "points", "score points owed to care and time", scale=10.0, within=(-inf, inf)),
    ),
    parameters=(
        Parameter("by_spines", 0.1786, "1", (0.1, 0.5), fitted("most of a deficit is not a matter of spines; size not in the evidence"), "share of an episode's deficit that lost spines explain", grounds=Grounds(most=1.0)),
        Parameter("most", 1.982, "1", (1.3, 4.0), fitted("twice as many synapses do not double function"), "function reached at any strength, relative to rest", grounds=Grounds(least=1.0)),
        Parameter("weight_habenula", 0.5, "1", (0.2, 1.2), assumed("set so that the account can reach a comparable effect"), "mood per unit of trapped block", grounds=Grounds(low=unsourced("moved with its value, so that the account can reach a comparable effect"), high=unsourced("moved with its value, so that the account can reach a comparable effect"))),
        Parameter("k_mood", 4.684, "1/h", (0.5, 6.0), fitted("mood follows within an hour"), "pace of mood", grounds=Grounds(seen=seen(0.6, 54.0, "mood low by 5 h of tryptophan depletion, to mood better within stimulation of 100-200 s (second-hand)", "Young1985"), high=by_test("was 4, so that a blocker given half an hour before a test acts in time"))),
        Parameter("k_usual", 0.0017, "1/h", (1 / 1440, 1 / 240), assumed("what lasts a month becomes usual"), "pace at which a state becomes usual"),
        Parameter("k_expectancy", 0.1, "1/h", (0.02, 0.5), assumed("builds within a day of the visit"), "pace of expectancy", grounds=Grounds(seen=seen(0.051, 1.5, "placebo fall at 24 h no less than 0.71 of its plateau (2 SE), to all of it present at 2 h", "Lii2023", "Daly2018"))),
        Parameter("k_care", 1 / 400, "1/h", (1 / 500, 1 / 100), assumed("controls improve over four weeks"), "pace of what care and time bring", grounds=Grounds(seen=seen(8.6e-05, 0.0027, "half of untreated cases remit within a year, to 62 % of placebo's improvement in two weeks of a trial", "Whiteford2013", "Posternak2006", "PosternakZimmerman2005", "Chen2023"))),
        Parameter("score_episode", 31.4, "points", (26.0, 38.0), derived("baselines of trials lie between 28 and 38 points", "Murrough2013"), "score in an untreated episode", grounds=Grounds(seen=seen(25.1, 41.3, "mean MADRS at baseline over trials, masked infusion to suicidal inpatients", "Lii2023", "Daly2018", "Chen2023", "Takahashi2021", "IJERPH2022", "Fu2020"))),
        Parameter("score_healthy", 4.0, "points", (0.5, 6.0), derived("mean MADRS of 569 controls, who were not all screened", "Zimmerman2004"), "score at healthy rest", grounds=Grounds(seen=seen(3.5, 4.5, "95 % interval of the mean MADRS of 569 controls in 14 samples (mean 4.0, SD 5.8)", "Zimmerman2004"))),
        Parameter("score_span", 60.0, "points", (60.0, 60.0), derived("the scale ends at 60 points, which is taken as one unit of mood"), "score points per unit of mood", role="setting"),
    ),
    reads=(
        Read("number", "1", of="ampa.number"),
        Read("antagonist", "1", of="ampa.antagonist"),
        Read("potentiator", "1", of="ampa.potentiator"),
        Read("density", "1", of="spines.density"),
        Read("lost", "1", of="spines.lost"),
        Read("load", "1", of="stress.load"),
        Read("tone", "1", of="opioid.tone"),
        Read("trapped", "1", of="nmda.trapped"),
        Read("gain_habenula", "1", of="drivers.lhb"),
        Read("gain_opioid", "1", of="drivers.opioid"),
    ),
    knobs=(
        Knob("expectation", 0.0, "points", (0.0, 30.0), "score points a visit alone would bring within a day"),
        Knob("care", 0.0, "points", (-30.0, 30.0), "score points that care and time would bring within weeks; below 0 worsening"),
    ),
    derived=(
        Derived(episode, "1", "what is missing to healthy mood in an episode"),
        Derived(weight, "1", "function per unit of strength"),
        Derived(weight_stress, "1", "function lost directly at full stress"),
        Derived(softness, "1", "rounding of the scale's lower end"),
    ),
    quantities=(
        Quantity(strength, "1", "what the circuit can pass on, relative to rest"),
        Quantity(habenula, "1", "lift of mood by trapped block", using={"gain": "gain_habenula"}),
        Quantity(function, "1", "function, relative to healthy rest", short="function"),
        Quantity(gate, "1", "how much of a change reaches mood", using={"gain": "gain_opioid"}),
        Quantity(aim, "1", "where mood is heading"),
        Quantity(deficit, "1", "what is missing to healthy mood, less what expectation and care cover"),
        Quantity(score, "points", "depression score (MADRS)", short="score"),
    ),
    flows=(
        Flow(approach, into="mood", using={"target": "aim", "level": "mood", "k": "k_mood"}),
        Flow(approach, into="usual", using={"target": "function", "level": "usual", "k": "k_usual"}),
        Flow(approach, into="expectancy", using={"target": "expectation", "level": "expectancy", "k": "k_expectancy"}),
        Flow(approach, into="cared", using={"target": "care", "level": "cared", "k": "k_care"}),
    ),
)  # fmt: skip
