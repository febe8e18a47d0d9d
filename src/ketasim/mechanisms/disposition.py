"""What both enantiomers share on their way through the body.

Volumes, exchange, absorption from each site and passage into the brain; nothing that was read
measures these for one enantiomer apart. Everything is quoted for an adult of 70 kg and scaled to
the body at hand: clearance and exchange with its clearance, volumes with its size. Brain and venous
blood keep pace with both, so that they follow faster in a small animal. Women clear ketamine and
norketamine somewhat faster than men. People who carry the slow form (*6) of the enzyme CYP2B6
clear ketamine more slowly, those with two copies three times so. Left out: what sex and genes do to
the first pass and to hydroxynorketamine.
"""

from ketasim.core.declare import Derived, Mechanism, Parameter, Quantity, Read, story_of
from ketasim.core.evidence import Grounds, assumed, by_source, derived, fitted, measured, seen
from ketasim.core.maths import power


def pace(clearance_scale, volume_scale):
    """How fast things go in this body relative to a 70 kg adult."""
    return clearance_scale / volume_scale


def scaled(reference, scale):
    """A value for this body, from that of a 70 kg adult."""
    return reference * scale


def sex(female, female_clearance):
    """Clearance by sex over that of a group of half women and half men."""
    return power(female_clearance, female - 1 / 2)


def activity(cyp_activity, sex, slow_alleles, slow_clearance):
    """Clearance of ketamine by the enzymes, over the usual."""
    return cyp_activity * sex * power(slow_clearance, slow_alleles / 2)


_SCALED = {
    "q_fast": ("clearance_scale", "L/h", "exchange with the fast compartment"),
    "q_slow": ("clearance_scale", "L/h", "exchange with the slow compartment"),
    "k_brain": ("pace", "1/h", "equilibration with brain"),
    "k_venous": ("pace", "1/h", "rate at which venous plasma follows arterial"),
    "v_central": ("volume_scale", "L", "central volume"),
    "v_fast": ("volume_scale", "L", "fast peripheral volume"),
    "v_slow": ("volume_scale", "L", "slow peripheral volume"),
    "cl_norketamine": ("clearance_scale", "L/h", "clearance of norketamine"),
    "v_norketamine": ("volume_scale", "L", "volume of norketamine"),
    "cl_hydroxynorketamine": ("clearance_scale", "L/h", "clearance of hydroxynorketamine"),
    "q_hydroxynorketamine": ("clearance_scale", "L/h", "exchange of hydroxynorketamine"),
    "v_hydroxynorketamine": ("volume_scale", "L", "central volume of hydroxynorketamine"),
    "v_far": ("volume_scale", "L", "peripheral volume of hydroxynorketamine"),
}

_PRODUCT = "share of a nasal dose absorbed in the nose"
_LEDGER = (
    Parameter("female_clearance", 1.2, "1", (1.0, 1.4), measured("clearance 20 % greater in women", "Sigtermans2009"), "clearance in women over that in men", grounds=Grounds(seen=seen(1.0, 1.2, "no effect of sex on clearance in 820 subjects (not confirmed); 20 % more in women in 20 volunteers", "Sigtermans2009", "Kamp2020"))),
    Parameter("slow_clearance", 0.32, "1", (0.2, 0.6), measured("21.6 over 68.1 L/h with two and no copies of CYP2B6*6", "Li2015"), "clearance with two copies of CYP2B6*6 over that with none", grounds=Grounds(seen=seen(0.32, 1.0, "21.6 over 68.1 L/h in pain patients (not confirmed); no difference by genotype in 30 volunteers by mouth", "Li2015", "Rao2016"), most=1.0)),
    Parameter("v_central_70", 31.7, "L", (15.0, 40.0), fitted("25 L pooled, moved by all rows of blood", "Kamp2020", "Hasan2021"), "central volume of a 70 kg adult", grounds=Grounds(seen=seen(4.4, 192.0, "4.4 L in surgical patients after a bolus to 192 L in a population model of esketamine (neither confirmed)", "Kamp2020"))),
    Parameter("v_fast_70", 73.3, "L", (35.0, 90.0), fitted("56 L pooled, moved by all rows of blood", "Kamp2020", "Hasan2021"), "fast peripheral volume of a 70 kg adult", grounds=Grounds(seen=seen(10.6, 143.0, "10.6 L in surgical patients to 143 L in a population model of esketamine (neither confirmed)", "Kamp2020"))),
    Parameter("v_slow_70", 355.0, "L", (100.0, 680.0), fitted("157 L pooled; half-lives of 5 to 12 h ask for more", "Kamp2020", "Hasan2021", "SpravatoLabel"), "slow peripheral volume of a 70 kg adult", grounds=Grounds(seen=seen(157.0, 417.0, "157 L pooled to 417 in a population model of esketamine (not confirmed)", "Kamp2020", "PerezRuixo2021"))),
    Parameter("q_fast_70", 112.0, "L/h", (70.0, 240.0), fitted("161 L/h pooled, moved by all rows of blood", "Kamp2020", "Hasan2021"), "exchange with the fast compartment, 70 kg", grounds=Grounds(seen=seen(84.0, 287.0, "84 L/h in a population model of esketamine to 287 in one of oral and i.v. S-ketamine (neither confirmed)", "Kamp2020"))),
    Parameter("q_slow_70", 64.6, "L/h", (20.0, 160.0), fitted("79 L/h pooled, moved by all rows of blood", "Kamp2020", "Hasan2021"), "exchange with the slow compartment, 70 kg", grounds=Grounds(seen=seen(22.4, 156.0, "22.4 L/h in a model of oral and i.v. S-ketamine to 156 in surgical patients (neither confirmed)", "Kamp2020"))),
    Parameter("to_norketamine", 0.87, "1", (0.2, 0.95), fitted("norketamine beside ketamine in three infusions of an hour", "Kamp2020BJA"), "share of clearance that forms norketamine", grounds=Grounds(seen=seen(0.62, 0.87, "62 % in dogs; 71 % and 87 % (Asian subjects) in a population model (not confirmed); 80 % taken by others", "Kaka1980"), most=1.0)),
    Parameter("cl_norketamine_70", 58.1, "L/h", (10.0, 110.0), fitted("norketamine beside ketamine by vein and by mouth", "Kamp2020BJA", "Fanta2015"), "clearance of norketamine, 70 kg", grounds=Grounds(seen=seen(23.6, 63.0, "apparent 38 L/h in a population model, times the 0.62 to 0.87 that is formed; 63 from the exposure ratio", "PerezRuixo2021", "Fanta2015"))),
    Parameter("v_norketamine_70", 121.0, "L", (40.0, 400.0), fitted("rise and fall of norketamine in three infusions of an hour", "Kamp2020BJA"), "volume of norketamine, 70 kg", grounds=Grounds(seen=seen(115.0, 161.0, "apparent 185 L in a population model, times the 0.62 to 0.87 that is formed", "PerezRuixo2021"))),
    Parameter("to_hydroxynorketamine", 0.263, "1", (0.02, 0.8), fitted("hydroxynorketamine beside norketamine in three infusions of an hour", "Kamp2020BJA"), "share of norketamine clearance that forms hydroxynorketamine", grounds=Grounds(seen=seen(0.19, 0.7, "15 of 80 % of the dose in a review; 70 % taken in a population model (neither confirmed)"), most=1.0)),
    Parameter("cl_hydroxynorketamine_70", 7.6, "L/h", (5.0, 60.0), fitted("704 mL/h/kg in rats, and exposure beside ketamine in people", "Moaddel2015HNK", "Hasan2021"), "clearance of hydroxynorketamine, 70 kg", grounds=Grounds(seen=seen(7.6, 56.0, "704 mL/h/kg in rats, scaled as here; 0.933 L/min in a population model of S-ketamine (not confirmed)", "Moaddel2015HNK", "Hasan2021"))),
    Parameter("v_hydroxynorketamine_70", 38.2, "L", (15.0, 200.0), fitted("peak in the fluid of mouse hippocampus after hydroxynorketamine", "Lumsden2019"), "central volume of hydroxynorketamine, 70 kg", grounds=Grounds(seen=seen(0.48, 40.0, "4.4 L in a population model of S-ketamine, two standard deviations over subjects (not confirmed)"))),
    Parameter("v_far_70", 351.0, "L", (200.0, 800.0), fitted("7352 mL/kg in rats times 70 kg, less the central volume", "Moaddel2015HNK"), "peripheral volume of hydroxynorketamine, 70 kg", grounds=Grounds(seen=seen(87.5, 511.0, "87.5 L in a population model of S-ketamine (not confirmed); 7352 mL/kg in rats times 70 kg, less 4.4", "Moaddel2015HNK"))),
    Parameter("q_hydroxynorketamine_70", 52.2, "L/h", (10.0, 120.0), fitted("fall fivefold in rat brain from 10 to 60 min", "Moaddel2015HNK"), "exchange of hydroxynorketamine, 70 kg", grounds=Grounds(seen=seen(35.0, 298.0, "102 L/h in a population model of S-ketamine, two standard deviations over subjects (not confirmed)"))),
    Parameter("k_tissue", 4.0, "1/h", (1.0, 10.0), assumed("peak some 15-20 min after an intramuscular dose; taken alike under the skin"), "absorption from muscle and skin", grounds=Grounds(seen=seen(0.9, 66.0, "bounds from peaks 20 min after i.m. injection in dogs and 5-20 min in people (the latter not confirmed)", "Jantzen1985"))),
    Parameter("f_tissue", 0.93, "1", (0.8, 1.0), measured("bioavailability i.m. 93 %", "Zanos2018"), "intact share from muscle and skin", grounds=Grounds(seen=seen(0.41, 0.93, "41 % i.m. in 113 children; 93 % i.m. in adults in a review; 90 % in dogs", "Hornik2018", "Zanos2018", "Jantzen1985"), most=1.0)),
    Parameter("k_peritoneum", 6.0, "1/h", (3.0, 15.0), assumed("rodent plasma peaks within 10-15 min of an i.p. dose"), "absorption from the peritoneum"),
    Parameter("f_peritoneum", 0.5, "1", (0.3, 0.9), assumed("partly a first pass through the liver"), "intact share from the peritoneum", grounds=Grounds(most=1.0)),
    Parameter("k_nose", 2.07, "1/h", (0.7, 10.0), fitted("venous peak 20-40 min after the spray, 101 and 108 ng/mL at 40 min", "SpravatoLabel"), "clearing of the nose, of a metered spray", grounds=Grounds(seen=seen(0.95, 9.1, "2.93 per h in a population model of esketamine, two standard deviations over subjects (not confirmed)"))),
    Parameter("k_drops", 14.8, "1/h", (0.7, 15.0), fitted("peak 14-23 min after drops", "Pharmacotherapy2022"), "clearing of the nose, of drops"),
    Parameter("f_nose", 0.375, "1", (0.05, 0.6), fitted("nasal bioavailability 48-54 %, less what the swallowed part adds", "SpravatoLabel", "PerezRuixo2021"), f"{_PRODUCT}, from a metered spray", grounds=Grounds(seen=seen(0.31, 0.72, "45 % of a spray in all, less what is swallowed, in 3 people; 54 % times 1.34 in Japanese (not confirmed)", "Yanagihara2003", "SpravatoLabel"), high=by_source("54 % of 28 mg absorbed in the nose", "PerezRuixo2021"), most=1.0)),
    Parameter("f_drops", 0.0106, "1", (0.002, 0.3), fitted("bioavailability 11-17 % of a nasal solution", "Pharmacotherapy2022"), f"{_PRODUCT}, from drops", grounds=Grounds(seen=seen(0.0, 0.46, "11 % in all in adults, no more than by mouth; 50 % in children, less what is swallowed", "Pharmacotherapy2022", "Malinovsky1996", "Chong2006", "Brunette2011"), most=1.0)),
    Parameter("k_gut", 2.94, "1/h", (0.7, 8.0), fitted("norketamine peaks 56-79 min after nasal drops, which are mostly swallowed", "Pharmacotherapy2022"), "absorption from the gut", grounds=Grounds(seen=seen(0.7, 2.94, "absorption half-time 59 min in children; 2.94 per h of what is swallowed of a film (not confirmed)", "Brunette2011"))),
    Parameter("first_pass_norketamine", 0.4, "1", (0.2, 0.9), fitted("oral norketamine to ketamine exposure ratio 16.5", "Fanta2015"), "share of the first-pass loss that arrives as norketamine", grounds=Grounds(seen=seen(0.4, 0.8, "0.40 from the rates of a population model; 80 % of what is swallowed of a film (neither confirmed)", "Chong2006"), most=1.0)),
    Parameter("first_pass_hydroxynorketamine", 0.409, "1", (0.01, 0.5), fitted("oral hydroxynorketamine to ketamine exposure ratios 18 and 30", "Hasan2021"), "share of the rest of the first-pass loss that arrives as hydroxynorketamine", grounds=Grounds(most=1.0)),
    Parameter("k_site", 12.0, "1/h", (3.0, 20.0), fitted("peak at 12 min in the fluid of mouse hippocampus after i.p. hydroxynorketamine", "Lumsden2019"), "absorption of a metabolite given by injection"),
    Parameter("f_site", 0.8, "1", (0.5, 1.0), assumed("between intact and the 50 % by mouth"), "intact share of a metabolite given by injection", grounds=Grounds(seen=seen(0.74, 0.84, "46-52 % by mouth, which is 62 % of what arrives from i.p. injection, in mice", "Highland2019"), most=1.0)),
    Parameter("f_swallowed", 0.5, "1", (0.4, 0.6), measured("hydroxynorketamine oral bioavailability 46-52 % in mouse", "Highland2019"), "intact share of a metabolite given by mouth", grounds=Grounds(seen=seen(0.42, 0.58, "46-52 % in mouse, 42 in rat, 58 in dog", "Highland2019"), most=1.0)),
    Parameter("k_brain_70", 5.0, "1/h", (3.2, 20.0), derived("half-life of 8.3 min (5.1-13) from blood to perception and pain", "Olofsen2022"), "equilibration with brain, 70 kg", grounds=Grounds(seen=seen(3.2, 108.0, "half-life of 13 min for perception and pain; 23 s for slow waves of the EEG after 1.5 mg/kg", "Olofsen2022", "Sleigh2019", "CohenTrevor1973"))),
    Parameter("k_venous_70", 3.49, "1/h", (1.5, 20.0), fitted("185 ng/mL venous at 40 min; serum against arterial plasma", "Zanos2018", "Hasan2021"), "rate at which venous plasma follows arterial, 70 kg"),
    Parameter("partition", 0.56, "1", (0.4, 0.9), derived("unbound fraction in plasma, 43-45 % being bound; unbound drug taken to cross freely", "SpravatoLabel"), "unbound brain over total plasma", grounds=Grounds(seen=seen(0.27, 0.88, "CSF over plasma 0.2/0.75; 12 % bound in plasma in a text book (neither confirmed)", "Schmidt2024", "Dayton1983", "SpravatoLabel"), most=1.0)),
    Parameter("partition_norketamine", 0.11, "1", (0.05, 0.5), derived("brain to plasma ratio 4-6 times lower than ketamine's", "SpravatoLabel"), "unbound brain norketamine over total plasma", grounds=Grounds(seen=seen(0.045, 0.5, "ketamine's 0.27 over 6; unbound 50 % in plasma if it crossed freely (not confirmed)", "SpravatoLabel", "Kaka1980", "CohenTrevor1973"))),
    Parameter("partition_hydroxynorketamine", 0.67, "1", (0.1, 1.0), fitted("7.6 uM in the fluid of mouse hippocampus after 10 mg/kg of hydroxynorketamine", "Lumsden2019"), "unbound brain hydroxynorketamine over total plasma", grounds=Grounds(seen=seen(0.67, 1.2, "total brain over plasma 0.67-1.2 in mice and rats; binding in brain not known", "Highland2019", "Lumsden2019"))),
)  # fmt: skip

DISPOSITION = Mechanism(
    name="disposition",
    role="drug",
    story=story_of(__doc__),
    parameters=_LEDGER,
    reads=(
        Read("clearance_scale", "1", of="body.clearance_scale"),
        Read("volume_scale", "1", of="body.volume_scale"),
        Read("cyp_activity", "1", of="body.cyp_activity"),
        Read("female", "1", of="body.female"),
        Read("slow_alleles", "1", of="body.slow_alleles"),
    ),
    derived=(
        Derived(pace, "1", "rates relative to 70 kg"),
        *(
            Derived(scaled, unit, meaning, own, {"reference": f"{own}_70", "scale": scale})
            for own, (scale, unit, meaning) in _SCALED.items()
        ),
    ),
    quantities=(
        Quantity(sex, "1", "clearance by sex over that of a mixed group"),
        Quantity(activity, "1", "clearance of ketamine by the enzymes over the usual"),
    ),
)
