"""What limits a dose: dissociation, circulation, breathing, and what the drug does to pain.

All of it follows (S)-ketamine in plasma within minutes; the (R) form adds nothing that anybody has
detected, and (S)-norketamine opposes a little. Dissociation answers steeply to an effect site that
lags by minutes, so that it is over before the drug is. A sympathetic drive raises blood pressure,
heart rate and cardiac output, and holds the airway open. Breathing is stimulated, and what an opioid
takes from the sensitivity to carbon dioxide (not from breathing at rest) is given back. Dissociation
wanes with repeated doses over weeks, pressure does not. Chronic pain has a site of its own, which
fills and empties in eleven days: relief outlasts the drug by weeks.

Nothing here acts back on the rest of the model. Left out: the baroreflex, age and hypertension
(``sbp_ratio`` may be set for a person), sedation and depth of anaesthesia, nausea, the bladder, and
any difference between central and peripheral pain.
"""

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
from ketasim.core.evidence import Grounds, assumed, by_source, derived, fitted, measured
from ketasim.core.maths import hill


def reach(plasma, other, weight_other, level, k):
    """A site follows plasma; the other enantiomer counts by its weight."""
    return k * (plasma + weight_other * other - level)


def follow(plasma, level, k):
    """A site follows plasma."""
    return k * (plasma - level)


def adapt(share, tolerance, k_on, k_off):
    """Tolerance to dissociation builds while there is some, and is lost over days."""
    return k_on * share * (1 - tolerance) - k_off * tolerance


def share(site, s_norketamine, c50, c100, n):
    """Share of the most that can be perceived; norketamine of the same hand opposes it."""
    return hill(site, c50 * (1 + s_norketamine / c100), n)


def perception(share, scale):
    """Altered external perception on a visual scale."""
    return scale * share


def cadss(share, tolerance, cadss_span, calm, midazolam):
    """Rise of the dissociative states scale, less what tolerance and midazolam take."""
    return cadss_span * share * (1 - tolerance) * (1 - calm * midazolam)


def rise(drive, rest, gain, half):
    """A rise that saturates with the sympathetic drive."""
    return rest * gain * drive / (half + drive)


def sbp_rise(map_rise, sbp_ratio):
    """Rise of systolic pressure, in proportion to that of mean pressure."""
    return sbp_ratio * map_rise


def cardiac_output(drive, s_norketamine, gain, half, c100):
    """Cardiac output relative to rest; norketamine of the same hand opposes it."""
    return 1 + gain * drive / (half * (1 + s_norketamine / c100) + drive)


def noradrenaline(drive, gain, half):
    """Noradrenaline in plasma relative to rest."""
    return 1 + gain * drive / (half + drive)


def stimulus(plasma, vent_gain, vent_half):
    """Breathing relative to rest with no opioid."""
    return 1 + vent_gain * plasma / (vent_half + plasma)


def depression(opioid, plasma, opioid_max, through, protect):
    """What an opioid takes of breathing; its part through sensitivity is given back."""
    sensitivity = through * opioid / (opioid + 1 + plasma / protect)
    return opioid_max * (sensitivity + (1 - through) * opioid / (opioid + 1))


def breathing(stimulus, depression):
    """Ventilation relative to rest."""
    return stimulus * (1 - depression)


def ventilation_rise(breathing, ventilation_rest):
    """Rise of ventilation."""
    return ventilation_rest * (breathing - 1)


def airway(unbound, noradrenaline, direct_max, direct_half, adrenergic):
    """Tone of the bronchi relative to rest: relaxed directly, and by adrenaline."""
    direct = direct_max * unbound / (direct_half + unbound)
    return 1 - direct - adrenergic * (noradrenaline - 1) / noradrenaline


def relief(pain_site, c50_slow):
    """Share of chronic pain that is relieved."""
    return pain_site / (c50_slow + pain_site)


def pain(share, relief, acute_weight):
    """Pain relative to that without drug: relieved at once, and by what the slow site holds."""
    return (1 - acute_weight * share) * (1 - relief)


_C50 = Grounds(
    low=by_source("95 % interval 0.38 to 0.66", "Olofsen2022"),
    high=by_source("95 % interval 0.38 to 0.66", "Olofsen2022"),
)
_LEDGER = (
    Parameter("c50", 0.51, "uM", (0.38, 0.66), measured("total (S)-ketamine in plasma", "Olofsen2022"), "(S)-ketamine at half of perception", grounds=_C50),
    Parameter("k_site", 5.01, "1/h", (3.2, 8.2), derived("half-life of 8.3 min (5.1 to 13.0) to the effect site", "Olofsen2022"), "equilibration of the effect site"),
    Parameter("weight_r", 0.0, "1", (0.0, 0.2), measured("no contribution detected", "Olofsen2022"), "(R)-ketamine over (S)-ketamine at the effect site"),
    Parameter("c100", 1.0, "uM", (0.3, 5.0), assumed("opposition was small; its size is not in the abstract"), "(S)-norketamine that doubles the half-effect concentration"),
    Parameter("n", 3.0, "1", (1.0, 4.0), fitted("back near baseline forty minutes after an infusion", "Moaddel2015"), "steepness of perception", role="exponent"),
    Parameter("scale", 10.0, "points", (10.0, 10.0), derived("the visual scale ends at 10"), "points of the visual scale", role="setting"),
    Parameter("cadss_span", 30.0, "points", (15.0, 60.0), assumed("means of 10 to 20 points at antidepressant doses"), "greatest mean rise of the dissociative states scale"),
    Parameter("calm", 0.34, "1", (0.1, 0.6), derived("10.3 points (3.4 to 17.1) less with midazolam at 2 mg/kg, over the span", "Midazolam2020"), "share of dissociation that midazolam takes", grounds=Grounds(most=1.0)),
    Parameter("k_on", 0.30, "1/h", (0.05, 1.0), fitted("dissociation falls after the first week", "EsketamineEvents"), "growth of tolerance at full perception"),
    Parameter("k_off", 0.003, "1/h", (0.001, 0.01), fitted("dissociation falls after the first week", "EsketamineEvents"), "loss of tolerance"),
    Parameter("k_drive", 10.0, "1/h", (4.0, 40.0), assumed("pressure follows plasma within minutes"), "pace of the sympathetic drive"),
    Parameter("map_rest", 90.0, "mmHg", (80.0, 100.0), assumed("a healthy adult"), "mean arterial pressure at rest"),
    Parameter("map_gain", 0.40, "1", (0.2, 0.6), derived("27 % more at 8.2 uM, 10 mmHg at about 1 uM", "Langsjo2005", "Jansen2024"), "greatest rise of mean pressure, over rest"),
    Parameter("map_half", 3.9, "uM", (1.5, 8.0), derived("27 % more at 8.2 uM, 10 mmHg at about 1 uM", "Langsjo2005", "Jansen2024"), "drive at half of the rise of mean pressure"),
    Parameter("sbp_ratio", 1.14, "1", (1.0, 1.8), derived("systolic 7.4 and diastolic 6.0 mmHg, a mean of 6.5; 3.28 and 3.17 elsewhere, a ratio of 1.02", "Zhou2021", "RivaPosse2018"), "systolic over mean rise"),
    Parameter("hr_rest", 65.0, "1/min", (55.0, 80.0), assumed("a healthy adult"), "heart rate at rest"),
    Parameter("hr_gain", 0.75, "1", (0.4, 1.1), derived("43.5 % more at 8.2 uM, 10 a minute at about 1 uM", "Langsjo2005", "Jansen2024"), "greatest rise of heart rate, over rest"),
    Parameter("hr_half", 6.0, "uM", (2.0, 10.0), derived("43.5 % more at 8.2 uM, 10 a minute at about 1 uM", "Langsjo2005", "Jansen2024"), "drive at half of the rise of heart rate"),
    Parameter("co_gain", 1.2, "1", (0.6, 2.0), fitted("40 to 50 % more at 320 ng/mL", "Sigtermans2009"), "greatest rise of cardiac output, over rest"),
    Parameter("co_half", 1.4, "uM", (0.8, 4.0), fitted("40 to 50 % more at 320 ng/mL", "Sigtermans2009"), "drive at half of the rise of cardiac output"),
    Parameter("co_c100", 1.5, "uM", (0.4, 5.0), assumed("(S)-norketamine lowers output; its size is not in the abstract"), "(S)-norketamine that doubles that half"),
    Parameter("ne_gain", 3.1, "1", (1.5, 5.0), fitted("159 to 373 pg/mL at 713 ng/mL; another study found no change", "Kienbaum2001"), "greatest rise of noradrenaline, over rest"),
    Parameter("ne_half", 3.9, "uM", (1.5, 8.0), fitted("159 to 373 pg/mL at 713 ng/mL; another study found no change", "Kienbaum2001"), "drive at half of the rise of noradrenaline"),
    Parameter("ventilation_rest", 10.0, "L/min", (6.0, 20.0), assumed("isocapnic, at rest; not in the abstract"), "ventilation at rest"),
    Parameter("vent_gain", 0.7, "1", (0.2, 1.2), fitted("3.1 L/min more (2.4 to 3.7) at the end of 1 mg/kg in three hours", "Jansen2024"), "greatest rise of ventilation, over rest"),
    Parameter("vent_half", 1.5, "uM", (0.5, 4.0), assumed("no course over concentration in the abstract"), "(S)-ketamine at half of that"),
    Parameter("opioid_max", 0.8, "1", (0.5, 1.0), fitted("20 to 12 L/min at the half-effect concentration", "Jonkman2018"), "most of breathing that an opioid takes", grounds=Grounds(most=1.0)),
    Parameter("through", 0.39, "1", (0.2, 0.6), measured("39 % through sensitivity to carbon dioxide, 61 % at rest", "Jonkman2018"), "share of that through sensitivity to carbon dioxide", grounds=Grounds(most=1.0)),
    Parameter("protect", 0.534, "uM", (0.353, 0.803), derived("127 ng/mL (84 to 191) doubled the opioid's half-effect concentration", "Jonkman2018"), "(S)-ketamine that doubles the opioid's half-effect concentration"),
    Parameter("direct_max", 0.41, "1", (0.3, 0.6), derived("17.9 % at 10 and 36.4 % at 100 uM in rings of dog airway", "Cheng1996"), "greatest direct relaxation of the bronchi", grounds=Grounds(most=1.0)),
    Parameter("direct_half", 12.9, "uM", (6.0, 30.0), derived("17.9 % at 10 and 36.4 % at 100 uM in rings of dog airway", "Cheng1996"), "unbound ketamine at half of that"),
    Parameter("adrenergic", 0.2, "1", (0.0, 0.5), assumed("adrenaline relaxes the bronchi; no size read"), "share of tone that adrenaline can take", grounds=Grounds(most=1.0)),
    Parameter("k_pain", 0.00265, "1/h", (0.0014, 0.0055), derived("half-life of 10.9 d (5.3 to 20.5) of relief", "Dahan2011"), "equilibration of the slow site of chronic pain"),
    Parameter("c50_slow", 0.0442, "uM", (0.0184, 0.0892), derived("10.5 ng/mL (4.4 to 21.2) at the slow site", "Dahan2011"), "(S)-ketamine there at half of relief"),
    Parameter("acute_weight", 0.8, "1", (0.5, 1.0), assumed("perception and pressure pain have one half-effect concentration; most of acute pain goes"), "share of acute pain that goes at full effect", grounds=Grounds(most=1.0)),
)  # fmt: skip

SAFETY = Mechanism(
    name="safety",
    story=story_of(__doc__),
    states=(
        State("site", 0.0, "uM", "(S)-ketamine at the effect site of perception", scale=0.1),
        State("drive", 0.0, "uM", "(S)-ketamine as the sympathetic drive feels it", scale=0.1),
        State("pain_site", 0.0, "uM", "(S)-ketamine at the slow site of chronic pain", scale=0.01),
        State("tolerance", 0.0, "1", "tolerance to dissociation", scale=0.1, within=(0.0, 1.0)),
    ),
    parameters=_LEDGER,
    reads=(
        Read("s", "uM", of="pk_s.plasma"),
        Read("r", "uM", of="pk_r.plasma"),
        Read("s_norketamine", "uM", of="pk_s.plasma_norketamine"),
        Read("unbound", "uM", of="plasma.brain"),
    ),
    knobs=(
        Knob("opioid_agonist", 0.0, "1", (0.0, 20.0), "opioid, over its half-effect concentration on breathing", short=("opioid",)),
        Knob("midazolam", 0.0, "1", (0.0, 1.0), "midazolam, 1 at a sedating dose", short=("midazolam",)),
    ),
    quantities=(
        Quantity(share, "1", "share of the most that can be perceived"),
        Quantity(perception, "points", "altered external perception, 0 to 10", short="perception"),
        Quantity(cadss, "points", "dissociation (CADSS), above rest", short="cadss"),
        Quantity(rise, "mmHg", "rise of mean arterial pressure", "map_rise", {"rest": "map_rest", "gain": "map_gain", "half": "map_half"}),
        Quantity(sbp_rise, "mmHg", "rise of systolic pressure", short="pressure"),
        Quantity(rise, "1/min", "rise of heart rate", "hr_rise", {"rest": "hr_rest", "gain": "hr_gain", "half": "hr_half"}, short="heart_rate"),
        Quantity(cardiac_output, "1", "cardiac output, relative to rest", using={"gain": "co_gain", "half": "co_half", "c100": "co_c100"}),
        Quantity(noradrenaline, "1", "noradrenaline in plasma, relative to rest", using={"gain": "ne_gain", "half": "ne_half"}),
        Quantity(stimulus, "1", "breathing with no opioid, relative to rest", using={"plasma": "s"}),
        Quantity(depression, "1", "share of breathing that an opioid takes", using={"plasma": "s", "opioid": "opioid_agonist"}),
        Quantity(breathing, "1", "ventilation, relative to rest", short="breathing"),
        Quantity(ventilation_rise, "L/min", "rise of ventilation"),
        Quantity(airway, "1", "tone of the bronchi, relative to rest"),
        Quantity(relief, "1", "share of chronic pain that is relieved"),
        Quantity(pain, "1", "pain, relative to that without drug", short="pain"),
    ),
    flows=(
        Flow(reach, into="site", using={"plasma": "s", "other": "r", "weight_other": "weight_r", "level": "site", "k": "k_site"}),
        Flow(follow, into="drive", using={"plasma": "s", "level": "drive", "k": "k_drive"}),
        Flow(follow, into="pain_site", using={"plasma": "s", "level": "pain_site", "k": "k_pain"}),
        Flow(adapt, into="tolerance"),
    ),
)  # fmt: skip
