"""Function and mood: a fast limb from the circuit, a slow limb from spines.

AMPA transmission above rest restores function within hours, before any spine has formed, and fades
within a day; spines keep what was gained. Function needs working AMPA receptors at the moment of
the test. Mood follows function within an hour or so, unless the opioid gate is switched on and
closed. The human score is predicted as drug minus control; what patients expect is a separate term
added in both arms, never part of the drug's effect.

Left out: the difference between behavioural tests, anhedonia, suicidality and cognition as
separate outcomes, dissociation, and any effect of the visit itself beyond ``expectation``.
"""

from math import inf

from ketasim.core.declare import Flow, Knob, Mechanism, Parameter, Quantity, Read, State, story_of
from ketasim.core.evidence import Grounds, assumed, by_test, fitted, unsourced
from ketasim.core.maths import hill


def fast_drive(transmission, half_fast, steepness):
    """Target of the fast limb: transmission above rest."""
    return hill(transmission - 1, half_fast, steepness)


def approach(target, level, k):
    """A level moves to its target."""
    return k * (target - level)


def slow(density, antagonist):
    """Slow limb: what spines carry while AMPA receptors work, 0 at healthy rest."""
    return density * (1 - antagonist) - 1


def habenula(trapped, gain, weight_habenula):
    """Lift of mood by a habenula silenced by trapped block."""
    return gain * weight_habenula * trapped


def function(fast, slow, load, weight_fast, weight_slow, weight_stress, antagonist):
    """Function relative to healthy rest."""
    return 1 + weight_fast * fast * (1 - antagonist) + weight_slow * slow - weight_stress * load


def gate(tone, gain):
    """How freely mood follows function."""
    return 1 - gain * (1 - tone)


def lift(function, habenula, mood, gate, k_mood):
    """Mood follows function."""
    return k_mood * gate * (function + habenula - mood)


def expect(expectation, expectancy, k_expectancy):
    """Expectancy builds and wanes on its own."""
    return k_expectancy * (expectation - expectancy)


def score(mood, expectancy, score_healthy, score_span):
    """Depression score."""
    return score_healthy + score_span * (1 - mood) - expectancy


OUTCOME = Mechanism(
    name="outcome",
    story=story_of(__doc__),
    states=(
        State("fast", 0.0, "1", "fast limb of function", scale=0.5),
        State("mood", 1.0, "1", "mood, relative to healthy rest; an index that may pass 0", within=(-inf, inf)),
        State("expectancy", 0.0, "points", "score points owed to expectation", scale=10.0),
    ),
    parameters=(
        Parameter("half_fast", 0.25, "1", (0.1, 0.6), assumed("a quarter more transmission"), "excess transmission for half the fast limb"),
        Parameter("steepness", 2.0, "1", (2.0, 3.0), assumed("no slope at rest"), "steepness of the fast limb", role="exponent", grounds=Grounds(low=by_test("no slope at rest, so that rest is stable in every draw"))),
        Parameter("k_fast", 1.46, "1/h", (0.5, 4.0), fitted("onset of the human effect at 40-230 min", "Kishimoto2016"), "pace of the fast limb"),
        Parameter("weight_fast", 0.231, "1", (0.05, 0.4), fitted("onset of the human effect at 40-230 min", "Kishimoto2016"), "function carried by a full fast limb"),
        Parameter("weight_slow", 0.709, "1", (0.4, 1.0), fitted("drug minus control at 24 h", "Murrough2013"), "function per unit of spine density", grounds=Grounds(high=by_test("was 1.5, so that no draw takes mood below zero under stress"))),
        Parameter("weight_stress", 0.28, "1", (0.1, 0.35), assumed("part of the deficit is not a matter of spines"), "function lost directly at full stress", grounds=Grounds(high=by_test("was 0.5, so that no draw takes mood below zero under stress"))),
        Parameter("weight_habenula", 0.7, "1", (0.2, 1.2), assumed("set so that the account can reach a comparable effect"), "mood per unit of trapped block", grounds=Grounds(low=unsourced("moved with its value, so that the account can reach a comparable effect"), high=unsourced("moved with its value, so that the account can reach a comparable effect"))),
        Parameter("k_mood", 1.5, "1/h", (0.5, 4.0), assumed("mood follows within an hour"), "pace of mood"),
        Parameter("k_expectancy", 0.1, "1/h", (0.02, 0.5), assumed("builds within a day of the visit"), "pace of expectancy"),
        Parameter("score_healthy", 2.0, "points", (0.0, 6.0), assumed("healthy volunteers score a few points"), "score at healthy rest"),
        Parameter("score_span", 71.1, "points", (40.0, 90.0), fitted("a depressed baseline near 32 points", "Murrough2013"), "score points per unit of mood"),
    ),
    reads=(
        Read("transmission", "1", of="ampa.transmission"),
        Read("antagonist", "1", of="ampa.antagonist"),
        Read("density", "1", of="spines.density"),
        Read("load", "1", of="stress.load"),
        Read("tone", "1", of="opioid.tone"),
        Read("trapped", "1", of="nmda.trapped"),
        Read("gain_habenula", "1", of="drivers.lhb"),
        Read("gain_opioid", "1", of="drivers.opioid"),
    ),
    knobs=(Knob("expectation", 0.0, "points", (0.0, 30.0), "score points a visit alone would bring"),),
    quantities=(
        Quantity(fast_drive, "1", "target of the fast limb"),
        Quantity(slow, "1", "slow limb of function"),
        Quantity(habenula, "1", "lift of mood by trapped block", using={"gain": "gain_habenula"}),
        Quantity(function, "1", "function, relative to healthy rest", short="function"),
        Quantity(gate, "1", "how freely mood follows function", using={"gain": "gain_opioid"}),
        Quantity(score, "points", "depression score (MADRS)", short="score"),
    ),
    flows=(
        Flow(approach, into="fast", using={"target": "fast_drive", "level": "fast", "k": "k_fast"}),
        Flow(lift, into="mood"),
        Flow(expect, into="expectancy"),
    ),
)  # fmt: skip
