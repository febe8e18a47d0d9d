"""Where the answer is known on paper, is it found to ten times the relative tolerance?"""

import numpy as np
import pytest

import ketasim as ks
import toy
from ketasim.core.declare import Inlet
from ketasim.core.model import Model
from science.subjects import MODEL, run

RTOL = 1e-6
CLOSE = 10 * RTOL
METHODS = ["LSODA", "BDF", "Radau"]
TIMES = np.linspace(0.0, 12.0, 49)
TOY = Model((toy.body(), toy.receptor()), toy.SUBSTANCES)
K_EL, K_GUT = 0.25, 1.1
WHOLE = ks.human(weight="70 kg")
TOY_SUBJECT = ks.Subject("human", 70.0)
UMOL = 10.0  # of the S enantiomer in 2 mg at 200 g/mol


def absorbing():
    """Return the toy with a gut that empties at its own rate."""
    flows = tuple(
        toy.Flow(flow.law, flow.into, flow.out_of, {**flow.using, "k_el": "k_gut"})
        if flow.out_of == "gut"
        else flow
        for flow in toy.body().flows
    )
    k_gut = toy.Parameter("k_gut", K_GUT, "1/h", (0.1, 5.0), toy.WHY)
    body = toy.body(flows=flows, parameters=(*toy.body().parameters, k_gut))
    return Model((body, toy.receptor()), toy.SUBSTANCES)


def amount(model, protocol, method="LSODA", times=TIMES):
    """Return the amount of S [umol] over time."""
    return run(model, TOY_SUBJECT, protocol, times, method=method, rtol=RTOL).state("body.s")


def infused(rate, begin, end, t):
    """Return the amount of a one-compartment infusion in closed form."""
    during = rate / K_EL * (1 - np.exp(-K_EL * np.clip(t - begin, 0.0, end - begin)))
    return during * np.exp(-K_EL * np.maximum(t - end, 0.0))


def assert_close(found, exact, scale):
    """Compare to ten times the tolerance, relative to the size of what was given."""
    assert np.abs(found - exact).max() <= CLOSE * scale


@pytest.mark.parametrize("method", METHODS)
def test_one_compartment_decay(method):
    found = amount(TOY, ks.bolus("2 mg", drug="s_drug"), method)
    assert_close(found, UMOL * np.exp(-K_EL * TIMES), UMOL)


def test_decay_is_as_close_relative_to_what_is_left():
    found = amount(TOY, ks.bolus("2 mg", drug="s_drug"))
    assert found == pytest.approx(UMOL * np.exp(-K_EL * TIMES), rel=CLOSE)


@pytest.mark.parametrize("method", METHODS)
def test_bateman(method):
    found = amount(absorbing(), ks.dose("2 mg", route="oral", drug="s_drug"), method)
    exact = UMOL * K_GUT / (K_GUT - K_EL) * (np.exp(-K_EL * TIMES) - np.exp(-K_GUT * TIMES))
    assert_close(found, exact, UMOL)


@pytest.mark.parametrize("method", METHODS)
def test_overlapping_infusions_superpose(method):
    one = ks.infusion("2 mg", over="4 h", drug="s_drug")
    two = ks.infusion("1 mg", over="3 h", at="2.5 h", drug="s_drug")
    found = amount(TOY, one + two, method)
    exact = infused(UMOL / 4, 0.0, 4.0, TIMES) + infused(UMOL / 6, 2.5, 5.5, TIMES)
    assert_close(found, exact, UMOL)


def test_repeated_boluses_superpose():
    doses = ks.repeat(ks.bolus("2 mg", drug="s_drug"), times=5, every="90 min")
    found = amount(TOY, doses)
    each = (np.where(t0 <= TIMES, np.exp(-K_EL * (TIMES - t0)), 0.0) for t0 in np.arange(5) * 1.5)
    assert_close(found, UMOL * sum(each), UMOL)


@pytest.mark.parametrize("concentration", [0.05, 0.5, 1.0, 10.0])
def test_block_at_balance_follows_hill(concentration):
    # k_on = 7.2 /uM/h: after 12 h at 0.05 uM or more the block is in balance to exp(-40).
    bath = ks.bath(f"{concentration} uM", drug="s_drug")
    found = run(TOY, TOY_SUBJECT, bath, TIMES, rtol=RTOL).state("receptor.bound")
    assert found[-1] == pytest.approx(concentration / (concentration + 0.5), rel=CLOSE)


@pytest.mark.parametrize("method", METHODS)
def test_block_builds_and_fades_exponentially(method):
    bath = ks.bath("1 uM", drug="s_drug", until="2 h")
    times = np.linspace(0.0, 4.0, 81)
    found = run(TOY, TOY_SUBJECT, bath, times, method=method, rtol=RTOL).state("receptor.bound")
    on, off = 7.2, 3.6
    full = 1.0 / 1.5
    rise = full * (1 - np.exp(-(on + off) * np.minimum(times, 2.0)))
    assert_close(found, rise * np.exp(-off * np.maximum(times - 2.0, 0.0)), full)


RECEPTORS = {name.removeprefix("nmda."): MODEL.value(name) for name in MODEL.parameters
             if name.startswith("nmda.")}  # fmt: skip
S, MEMANTINE, MK801 = 2.0, 0.6, 0.002  # uM, held until block has settled
MILLIMOLAR = 1e3  # uM, in which the model counts
BLOCKERS = (
    ks.bath(f"{S} uM", drug="esketamine")
    + ks.hold("nmda.memantine", f"{MEMANTINE} uM", start="0 h")
    + ks.hold("nmda.mk801", f"{MK801} uM", start="0 h")
)


def falls(voltage, slope):
    """Return how far an affinity or magnesium's hold falls from -66 mV to a voltage."""
    return np.exp((RECEPTORS["reference_voltage"] - voltage) / slope)


def kinds(pool, magnesium):
    """Return share, what magnesium leaves open, and load of each kind of receptor of a pool."""
    of = RECEPTORS
    rest = "pyramidal" if pool == "resting" else pool
    voltage, gating = of[f"voltage_{rest}"], of[f"gating_{pool}"]
    b, d = of["glun2b"], 0.0 if pool == "pyramidal" else of["glun2d"]
    keep = [gating / (gating + (1 - of[f"trapping_{one}"]) * (1 - gating))
            for one in ("ketamine", "memantine")]  # fmt: skip
    pull = falls(voltage, of["drug_slope"])
    for kind, share, k_magnesium, weaker in (
        ("a", (1 - b) * (1 - d), of["k_magnesium"], 1.0),
        ("b", b * (1 - d), of["k_magnesium"], 1.0),
        ("d", d, of["k_magnesium_glun2d"], of["weaker_glun2d"]),
    ):
        free = 1 / (1 + magnesium * MILLIMOLAR / k_magnesium * falls(voltage, of["voltage_slope"]))
        load = S / of["k_s"] * keep[0] / weaker + MK801 / of["k_mk801"]
        load += MEMANTINE / of[f"k_memantine_glun2{kind}"] * keep[1]
        yield share, free, load * pull * free


def settled_block(pool, *protocol, magnesium=1.0):
    """Return the block of a pool after a day with all three blockers."""
    held = sum(protocol, BLOCKERS + ks.hold("nmda.magnesium", f"{magnesium} mM", start="always"))
    return run(MODEL, WHOLE, held, (0.0, 24.0), rtol=RTOL).state(f"nmda.{pool}_block")[-1]


@pytest.mark.parametrize("magnesium", [0.0, 1.0])
@pytest.mark.parametrize("pool", ["interneuron", "pyramidal", "resting"])
def test_block_is_that_of_each_subunit_weighed_by_its_current(pool, magnesium):
    # All blockers compete for one pore: theta = X / (1 + X) at each kind of receptor.
    many = list(kinds(pool, magnesium))
    taken = sum(share * free * load / (1 + load) for share, free, load in many)
    exact = taken / sum(share * free for share, free, _ in many)
    assert settled_block(pool, magnesium=magnesium) == pytest.approx(exact, rel=CLOSE)


def test_a_knock_out_takes_its_subunit_s_current_from_what_the_drug_can_reach():
    many = list(kinds("interneuron", 1.0))
    current = sum(share * free for share, free, _ in many)
    for subunit, kind in (("glun2b", 1), ("glun2d", 2)):
        gone = ks.hold(f"nmda.interneuron_{subunit}_knockout", 1.0, start="always")
        found = run(MODEL, WHOLE, BLOCKERS + gone, (0.0, 24.0), rtol=RTOL,
                    names=("nmda.interneuron_loss",))  # fmt: skip
        left = [one for at, one in enumerate(many) if at != kind]
        exact = sum(share * free * load / (1 + load) for share, free, load in left) / current
        assert found.observed["nmda.interneuron_loss"][-1] == pytest.approx(exact, rel=CLOSE)


def test_block_falls_with_magnesium_and_rises_where_depolarisation_expels_it():
    pools = ("interneuron", "pyramidal", "resting")
    for pool in pools:
        found = [settled_block(pool, magnesium=level) for level in (0.0, 0.3, 1.0, 3.0)]
        assert np.all(np.diff(found) < 0.0)
    assert settled_block("interneuron") > settled_block("pyramidal")
    assert settled_block("interneuron", magnesium=0.0) < settled_block("pyramidal", magnesium=0.0)


@pytest.mark.parametrize(
    ("kind", "k_magnesium", "published", "off"),
    [pytest.param("a", "k_magnesium", 10.3, 1.5, marks=pytest.mark.xfail(
        strict=True, reason="1.65 times too weak since the values of decision 0027 (1.1 before)")),
     ("b", "k_magnesium", 10.9, 1.75), ("d", "k_magnesium_glun2d", 1.9, 1.75)],
)  # fmt: skip
def test_how_weak_memantine_is_at_minus_30_mv_with_magnesium(kind, k_magnesium, published, off):
    # No number was set by these IC50; at GluN2B memantine is found 1.45 times too potent.
    hold = 1 + MILLIMOLAR / RECEPTORS[k_magnesium] * falls(-30.0, RECEPTORS["voltage_slope"])
    weaker = hold / falls(-30.0, RECEPTORS["drug_slope"])
    found = RECEPTORS[f"k_memantine_glun2{kind}"] * weaker
    assert published / off < found < published * off


def exposure(route, name, drug="esketamine"):
    """Return the area under a curve [uM h] after 10 mg of a drug to a 70 kg adult."""
    times = np.unique(np.concatenate([np.linspace(0, 4, 800), np.geomspace(4, 1000, 1600)]))
    given = ks.dose("10 mg", route="intranasal" if route == "drops" else route, drug=drug)
    if route == "drops":
        given += ks.hold("body.nasal_drops", 1.0, start="always")
    level = run(MODEL, WHOLE, given, times, names=(name,), rtol=1e-8).observed[name]
    return float(np.sum((level[1:] + level[:-1]) / 2 * np.diff(times)))


def share(name, of="disposition"):
    return MODEL.value(f"{of}.{name}")


GIVEN = 10.0 / 237.73 * 1000
GUT = share("f_gut", "pk_s")
AVAILABLE = {
    "iv": 1.0,
    "im": share("f_tissue"),
    "sc": share("f_tissue"),
    "ip": share("f_peritoneum"),
    "oral": GUT,
    "intranasal": share("f_nose") + (1 - share("f_nose")) * GUT,
    "drops": share("f_drops") + (1 - share("f_drops")) * GUT,
}
FIRST_PASS = {
    "ip": 1 - share("f_peritoneum"),
    "oral": 1 - GUT,
    "intranasal": (1 - share("f_nose")) * (1 - GUT),
    "drops": (1 - share("f_drops")) * (1 - GUT),
}


def formed(route):
    """Return the norketamine and hydroxynorketamine that arise of each micromole given."""
    lost = FIRST_PASS.get(route, 0.0)
    first, to = share("first_pass_norketamine"), share("to_norketamine")
    norketamine = AVAILABLE[route] * to + lost * first
    at_once = AVAILABLE[route] * (1 - to) * share("direct", "pk_s")
    at_once += lost * (1 - first) * share("first_pass_hydroxynorketamine")
    return norketamine, at_once + norketamine * share("to_hydroxynorketamine")


@pytest.mark.parametrize("route", AVAILABLE)
def test_exposure_is_the_available_dose_over_clearance(route):
    exact = AVAILABLE[route] * GIVEN / share("clearance_70", "pk_s")
    assert exposure(route, "pk_s.plasma") == pytest.approx(exact, rel=2e-3)


@pytest.mark.parametrize("route", AVAILABLE)
def test_exposure_to_norketamine_is_what_was_formed_over_its_clearance(route):
    exact = formed(route)[0] * GIVEN / share("cl_norketamine_70")
    assert exposure(route, "pk_s.plasma_norketamine") == pytest.approx(exact, rel=2e-3)


@pytest.mark.parametrize("route", AVAILABLE)
def test_exposure_to_hydroxynorketamine_is_what_was_formed_over_its_clearance(route):
    exact = formed(route)[1] * GIVEN / share("cl_hydroxynorketamine_70")
    assert exposure(route, "pk_s.plasma_hydroxynorketamine") == pytest.approx(exact, rel=5e-3)


@pytest.mark.parametrize(
    ("route", "kept"), [("iv", 1.0), ("ip", "f_site"), ("oral", "f_swallowed")]
)
def test_hydroxynorketamine_by_mouth_is_not_what_it_is_by_injection(route, kept):
    available = kept if route == "iv" else share(kept)
    exact = available * 10.0 / 239.70 * 1000 / share("cl_hydroxynorketamine_70")
    found = exposure(route, "pk_s.plasma_hydroxynorketamine", drug="2s6s-hnk")
    assert found == pytest.approx(exact, rel=5e-3)


def test_venous_exposure_is_arterial_exposure():
    exact = exposure("iv", "pk_s.plasma")
    assert exposure("iv", "pk_s.venous") == pytest.approx(exact, rel=2e-3)


def test_plasma_of_the_antidepressant_infusion():
    run_ = ks.simulate(
        ks.Scenario(
            MODEL,
            ks.infusion("0.5 mg/kg", over="40 min"),
            (0.0, 2 / 3, 24.0),
            subject=WHOLE,
            record=("plasma.arterial", "plasma.venous"),
        )
    )
    arterial, venous = (run_[name].to_numpy()[0] for name in ("plasma.arterial", "plasma.venous"))
    assert arterial[1] == pytest.approx(253.0, rel=0.15)
    assert venous[1] == pytest.approx(185.0, rel=0.15)
    assert venous[2] < 0.02 * venous[1]


def test_venous_and_arterial_plasma_cross_after_the_infusion():
    dose = ks.infusion("0.5 mg/kg", over="40 min")
    names = ("plasma.arterial", "plasma.venous")
    found = run(MODEL, WHOLE, dose, (0.0, 0.3, 2.0), names=names).observed
    assert found["plasma.venous"][1] < 0.8 * found["plasma.arterial"][1]
    assert found["plasma.venous"][2] > 1.05 * found["plasma.arterial"][2]


@pytest.mark.parametrize(
    ("knob", "level", "factor"),
    [
        ("female", 1.0, share("female_clearance") ** 0.5),
        ("female", 0.0, share("female_clearance") ** -0.5),
        ("slow_alleles", 2.0, share("slow_clearance")),
        ("slow_alleles", 1.0, share("slow_clearance") ** 0.5),
        ("cyp_activity", 2.0, 2.0),
    ],
)
def test_clearance_follows_sex_and_enzymes(knob, level, factor):
    times = np.unique(np.concatenate([np.linspace(0, 4, 800), np.geomspace(4, 1000, 1600)]))
    given = ks.dose("10 mg", route="iv", drug="esketamine")
    given += ks.hold(f"body.{knob}", level, start="always")
    found = run(MODEL, WHOLE, given, times, names=("pk_s.plasma",), rtol=1e-8).observed
    level = found["pk_s.plasma"]
    area = float(np.sum((level[1:] + level[:-1]) / 2 * np.diff(times)))
    assert GIVEN / area == pytest.approx(share("clearance_70", "pk_s") * factor, rel=2e-3)


@pytest.mark.parametrize("who", [ks.rat(), ks.mouse()])
def test_clearance_follows_the_body(who):
    times = np.unique(np.concatenate([np.linspace(0, 1, 800), np.geomspace(1, 300, 1600)]))
    given = ks.dose("1 mg/kg", route="iv", drug="esketamine")
    name = "pk_s.plasma"
    level = run(MODEL, who, given, times, names=(name,), rtol=1e-8).observed[name]
    area = float(np.sum((level[1:] + level[:-1]) / 2 * np.diff(times)))
    scale = (who.weight / 70.0) ** MODEL.value("body.exponent")
    exact = who.weight / 237.73 * 1000 / (share("clearance_70", "pk_s") * scale)
    assert area == pytest.approx(exact, rel=2e-3)


def test_a_gut_that_empties_at_the_rate_of_elimination():
    # The degenerate Bateman function, where the usual one divides by zero.
    found = amount(TOY, ks.dose("2 mg", route="oral", drug="s_drug"))
    assert_close(found, UMOL * K_EL * TIMES * np.exp(-K_EL * TIMES), UMOL)
    assert Inlet("s_drug", "oral", "gut") in toy.body().inlets
