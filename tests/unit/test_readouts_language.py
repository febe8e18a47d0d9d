"""The one language of read-outs: what a text means, what it refuses, and how it prints."""

import pickle

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

import toy
from ketasim.core.declare import Mechanism, Parameter, Quantity, State
from ketasim.core.evidence import assumed
from ketasim.core.model import Model
from ketasim.errors import ConfigError, KetasimError, UnitError
from ketasim.readouts import (
    KINDS,
    Given,
    Ledger,
    Reading,
    Reduction,
    check_labels,
    check_moments,
    parse,
    parse_all,
)
from ketasim.readouts.reduction import composed
from ketasim.units import unit

WHY = assumed("a toy")


def level(density):
    """Density as it is."""
    return density


SPINES = Mechanism(
    "spines",
    "What people ask for by short names.",
    states=(
        State("density", 1.0, "1", "spines of all", short="spines"),
        State("plasma", 0.0, "ng/mL", "drug in plasma", short="plasma"),
        State("share", 0.0, "%", "a share in percent"),
        State("rate", 0.0, "1/h", "a rate"),
    ),
    parameters=(Parameter("k_s", 0.5, "nM", (0.1, 1.0), WHY),),
    quantities=(Quantity(level, "points", "a score", name="score", short="score"),),
)
MODEL = Model((toy.body(), toy.receptor(), SPINES), toy.SUBSTANCES, name="toy")
ARMS = ("ketamine", "nbqx")


def at(name, moment, arm=None, *, effect=False):
    return Reading(arm, Reduction("at", name, moment=moment), effect)


def lookups(text, **options):
    return parse(text, MODEL, **options).lookups


def value(text, table=None, **options):
    return parse(text, MODEL, **options).evaluate(lambda one: np.asarray((table or {})[one]))


@pytest.mark.parametrize(
    ("text", "kind", "arguments"),
    [
        ("spines.density.at(2 h)", "at", {"moment": 2.0}),
        ("spines.density.at(-30 min)", "at", {"moment": -0.5}),
        ("spines.density@24h", "at", {"moment": 24.0}),
        ("spines.density @ 1 d", "at", {"moment": 24.0}),
        ("spines.density@-30min", "at", {"moment": -0.5}),
        ("spines@24h", "at", {"moment": 24.0}),
        ("spines.start", "start", {}),
        ("spines.peak", "peak", {}),
        ("spines.peak()", "peak", {}),
        ("spines.density.peak (0h, 4 h)", "peak", {"window": (0.0, 4.0)}),
        ("spines.above(1.1)", "above", {"level": 1.1}),
        ("spines.above(1.1, 0 h, 24 h)", "above", {"level": 1.1, "window": (0.0, 24.0)}),
        ("spines.time_to_fall(10 %, 0 h, 1 d)", "time_to_fall",
         {"level": 0.1, "window": (0.0, 24.0)}),
        ("spines.t_half(-1 h, 1 h)", "t_half", {"window": (-1.0, 1.0)}),
    ],
)  # fmt: skip
def test_a_reading_with_its_arguments_in_canonical_units(text, kind, arguments):
    assert lookups(text) == (Reading(None, Reduction(kind, "spines.density", **arguments)),)


def test_levels_are_read_in_any_unit_of_their_dimension():
    assert lookups("body.plasma.above(500 nM)") == lookups("body.plasma.above(0.5 uM)")
    assert lookups("plasma.time_to(5 ng / mL)")[0].reduction.level == pytest.approx(0.005)


@pytest.mark.parametrize("kind", KINDS)
def test_each_reducer_is_read_from_its_own_example(kind):
    for name in ("spines.density", "spines.plasma"):
        text = f"{name}.{KINDS[kind].example(kind, MODEL.unit(name))}"
        (reading,) = lookups(text)
        assert reading.reduction.kind == kind
        assert (reading.reduction.window is not None) == KINDS[kind].windowed


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("spines.density.auc", "h"),
        ("spines.plasma.auc", "ng*h/mL"),
        ("body.plasma.area(0 h, 4 h)", "uM*h"),
        ("spines.rate.auc", "1"),
        ("spines.plasma.mean", "ng/mL"),
        ("spines.plasma.change", "ng/mL"),
        ("spines.plasma.t_change", "h"),
        ("spines.plasma.above_half", "h"),
        ("spines.plasma.above(5 ng/mL)", "h"),
        ("spines.plasma@1h / spines.plasma.peak", "1"),
        ("2 * spines.plasma.peak", "ng/mL"),
        ("body.s.auc / body.plasma.peak", "h*L"),
        ("effect(spines.plasma.peak)", "ng/mL"),
        ("spines.score.peak / 8.88", "points"),
        ("max(spines.plasma.peak, 5 ug/L)", "ng/mL"),
        ("parameter(spines.k_s)", "nM"),
        ("24 h + 30 min", "h"),
        ("1 + spines.share.peak", "1"),
        ("spines.share.peak + 1", "%"),
    ],
)
def test_the_unit_of_a_read_out(text, units):
    assert (
        parse(f"x = {text}", MODEL, bare="declared" if text[0] == "2" else "refuse").unit == units
    )


def test_a_reduction_says_its_declared_and_its_canonical_unit():
    one = Reduction("auc", "spines.plasma")
    assert (one.declared_unit(MODEL), one.canonical_unit(MODEL)) == ("ng*h/mL", "h*mg/L")
    assert Reduction("t_peak", "spines.plasma").canonical_unit(MODEL) == "h"


UNITS = st.sampled_from(["1", "%", "h", "1/h", "ng/mL", "uM", "1/uM/s", "nmol", "points", "mL^2"])


@given(UNITS, UNITS, st.sampled_from("*/"))
def test_a_composed_unit_is_the_product_of_its_parts(left, right, mark):
    whole, a, b = unit(composed(mark, left, right)), unit(left), unit(right)
    power = 1 if mark == "*" else -1
    assert whole.factor == pytest.approx(a.factor * b.factor**power, rel=1e-12)
    assert whole.dimension == tuple(
        x + power * y for x, y in zip(a.dimension, b.dimension, strict=True)
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * 3", 9.0),
        ("8 / 4 / 2", 1.0),
        ("5 - 3 - 1", 1.0),
        ("8 - (5 - 3)", 6.0),
        ("8 / (4 / 2)", 4.0),
        ("-2 * -3", 6.0),
        ("abs(-4) + min(1, 2) - max(3, 1.5e0)", 2.0),
        ("24 h + 30 min", 24.5),
        ("24h+30min", 24.5),
        ("90 min - 1 h", 30.0),
        ("5 ng/mL + 1 ug/L", 6.0),
        ("6 h / 2 h", 3.0),
        ("6 h/2", 3.0),
        ("6 h*2", 12.0),
        ("2 1/h * 3 h", 6.0),
        ("50 % + 50 %", 100.0),
        ("2 mL^2/h + 1 mL^2/h", 3.0),
    ],
)
def test_arithmetic_follows_the_usual_rules_and_converts(text, wanted):
    assert float(value(text, bare="declared")) == pytest.approx(wanted, rel=1e-12)


def test_a_unit_goes_on_only_while_units_follow():
    table = {at("spines.density", 24.0): 2.0}
    assert value("6 h/spines@24h", table) == 3.0
    assert parse("6 h/spines@24h", MODEL).unit == "h"
    assert value("6 h/spines @24h + 1 h*spines @ 24h", table) == 5.0
    assert parse("6 ng/mL/spines@24h", MODEL).unit == "ng/mL"


def test_a_plain_number_lacks_its_unit():
    assert value("spines.peak - 1", {Reading(None, Reduction("peak", "spines.density")): 3.0}) == 2
    for text in ("plasma.peak - 1", "1 - plasma.peak", "max(1, plasma.peak)", "1 + 2 + plasma.auc"):
        with pytest.raises(UnitError, match=r'needs its unit, e\.g\. "1 ng(\*h)?/mL"'):
            parse(text, MODEL)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("plasma.peak - 1", 4.0),
        ("10 - plasma.peak - 2", 3.0),
        ("max(2 * 3, plasma.peak)", 6.0),
        ("-(6 / 2) + plasma.peak", 2.0),
        ("(1 + abs(-2)) + plasma.peak", 8.0),
        ("100 * plasma.peak", 500.0),
        ("spines.share.peak + 5", 12.0),
        ("spines.share.peak * 2 + 5", 19.0),
        ("spines.share.peak / plasma.peak", 7 / 5),
        ("plasma.peak * body.s.peak", 15.0),
    ],
)
def test_in_findings_a_plain_number_has_the_declared_unit_of_the_other_side(text, wanted):
    table = {
        Reading(None, Reduction("peak", name)): number * unit(MODEL.unit(name)).factor
        for name, number in (("spines.plasma", 5.0), ("spines.share", 7.0), ("body.s", 3.0))
    }
    assert float(value(text, table, bare="declared")) == pytest.approx(wanted, rel=1e-12)


def test_in_findings_a_plain_level_is_in_the_declared_unit():
    (reading,) = lookups("plasma.above(5)", bare="declared")
    assert reading.reduction.level == pytest.approx(5 * unit("ng/mL").factor)
    assert lookups("plasma.above(5 uL*ng/mL^2)", bare="declared")[0].reduction.level == (
        pytest.approx(5e-3 * unit("ng/mL").factor)
    )


def test_short_names_stand_for_full_ones():
    assert lookups("spines.peak - plasma.peak * 0 1/ng * 1 mL") == lookups(
        "spines.density.peak - spines.plasma.peak * 0 1/ng * 1 mL"
    )
    assert lookups("ketamine.spines.peak", arms=ARMS) == lookups(
        "ketamine.spines.density.peak", arms=ARMS
    )


def test_look_ups_keep_their_arm_and_their_control_and_come_once():
    text = (
        "effect(nbqx, spines.auc(0 h, 4 h)) / ketamine.spines.peak * parameter(spines.k_s)"
        " * given(ketamine) / ketamine.spines.peak"
    )
    one = parse(text, MODEL, arms=ARMS)
    peak = Reduction("peak", "spines.density")
    auc = Reduction("auc", "spines.density", window=(0.0, 4.0))
    assert one.lookups == (
        Reading("nbqx", auc, effect=True),
        Reading("ketamine", peak),
        Ledger("spines.k_s"),
        Given("ketamine"),
    )
    assert (one.reductions, one.names, one.moments) == (
        (auc, peak), ("spines.density",), (0.0, 4.0),
    )  # fmt: skip


def test_in_a_single_scenario_an_effect_names_no_arm():
    assert lookups("effect(spines@24h)") == (at("spines.density", 24.0, effect=True),)
    assert lookups("effect(nbqx, spines@24h)", arms=ARMS) == (
        at("spines.density", 24.0, "nbqx", effect=True),
    )


def test_values_are_canonical_inside_and_in_its_unit_outside():
    one = parse("plasma.peak + 1 ug/mL", MODEL)
    found = one.evaluate(lambda _: np.array([0.0, 2.0]))  # mg/L
    np.testing.assert_allclose(found, [1000.0, 3000.0], rtol=1e-12)
    assert one.unit == "ng/mL"


def test_zero_over_zero_is_not_a_number_and_warns_nobody():
    found = parse("spines.peak / spines.trough", MODEL).evaluate(lambda _: np.zeros(3))
    assert np.isnan(found).all()
    assert found.shape == (3,)


def test_each_look_up_is_asked_for_once():
    asked = []
    one = parse("spines.peak / spines.peak + spines.peak", MODEL)
    one.evaluate(lambda lookup: asked.append(lookup) or np.ones(2))
    assert len(asked) == 1


def test_a_long_sum_is_flat():
    text = "+".join(["1"] * 900)
    assert float(value(text, bare="declared")) == 900.0
    text = "*".join(["spines.peak"] * 166)
    assert value(text, {Reading(None, Reduction("peak", "spines.density")): 1.0}) == 1.0


def test_a_read_out_pickles_and_hashes():
    one = parse("x = effect(nbqx, spines@24h) / max(1, abs(nbqx.spines.peak))", MODEL, arms=ARMS)
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301
    assert hash(one) == hash(pickle.loads(pickle.dumps(one)))  # noqa: S301


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        ("spines.densty.peak", ConfigError, 'Did you mean "spines.density"?'),
        ("spnes.peak", ConfigError, 'Did you mean "spines"?'),
        ("spnes@24h", ConfigError, 'Did you mean "spines"?'),
        ("spines.density", ConfigError, "needs a reducer; write spines.density.at(24 h)"),
        ("spines", ConfigError, "needs a reducer"),
        ("peak", ConfigError, "is not a read-out"),
        ("spines.peek", ConfigError, 'Did you mean "peak"?'),
        ("spines.qqq", ConfigError, "Reducers: at, start, peak"),
        ("spines.at(24)", UnitError, "a unit is needed"),
        ("spines@24", UnitError, "a unit is needed"),
        ("spines@24 uM", UnitError, "a time"),
        ("spines.at", ConfigError, "write at(24 h)"),
        ("spines.start(0 h, 1 h)", ConfigError, "start takes no argument, not 2 arguments"),
        ("spines.above", ConfigError, "write above(1.1, 0 h, 24 h)"),
        ("plasma.above", ConfigError, "write above(1.1 ng/mL, 0 h, 24 h)"),
        ("plasma.above(5)", UnitError, 'a unit is needed, e.g. "5 ng/mL"'),
        ("spines.peak(1 h)", ConfigError, "write peak(0 h, 24 h)"),
        ("spines.peak(4h, 1h)", ConfigError, "window is empty, 4h to 1h"),
        ("spines.above(1 uM)", UnitError, "dimensionless number"),
        ("body.plasma.peak + 1", UnitError, "a concentration and a dimensionless number"),
        ("plasma.peak + spines.t_peak", UnitError, "a mass concentration and a time cannot be add"),
        ("min(plasma.peak, spines.peak)", UnitError, "cannot be compared"),
        ("3 + 4", ConfigError, "no name of a time course"),
        ("5 foo + spines.peak", UnitError, '5: unknown unit "foo"'),
        ("5 spines.peak", ConfigError, 'an operator is needed before "spines.peak"'),
        ("parameter(spines.k_z)", ConfigError, 'Did you mean "spines.k_s"?'),
        ("given(ketamine)", ConfigError, "no arms here"),
        ("effect(ketamine, spines.peak)", ConfigError, "there are no arms here; write effect("),
        ("(" * 60 + "spines.peak" + ")" * 60, ConfigError, "nested too deeply"),
        ("-" * 60 + "spines.peak", ConfigError, "nested too deeply"),
        ("spines.peak " * 200, ConfigError, "at most 2000"),
        ("1" * 400, ConfigError, "too large a number"),
        ("__import__('os').system('x')", ConfigError, "is not a read-out"),
        ("spines.peak)", ConfigError, 'an operator is needed before ")"'),
        ("(spines.peak", ConfigError, 'a closing ")" is needed before "the end"'),
        ("spines.at(3", ConfigError, 'a closing ")" is needed'),
        ("1 +", ConfigError, 'a number or a name is needed before "the end"'),
        ("", ConfigError, "needed"),
        ("*".join(["spines.plasma.auc"] * 12), UnitError, "is not a unit"),
    ],
)
def test_what_is_no_read_out_is_refused_with_its_place_and_its_text(text, kind, told):
    with pytest.raises(kind) as caught:
        parse(text, MODEL, where="--summary")
    assert str(caught.value).startswith(f'--summary: "{text[:60].strip()}')
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ketamin.spines.peak", 'Did you mean "ketamine"? Arms here: ketamine, nbqx.'),
        ("spines.density.peak", 'no arm "spines"; write ketamine.spines.density.peak.'),
        ("spines@24h", "is not a read-out; write ketamine.spines.at(24 h)"),
        ("__import__('os').system('x')", "is not a read-out"),
        ("effect(nbq, spines.peak)", 'Did you mean "nbqx"?'),
        ("effect(nbqx.spines.peak)", "names no arm alone"),
        ("effect(nbqx)", "names no arm alone"),
        ("given(nbq)", 'Did you mean "nbqx"?'),
        ("nbqx.spines.density", "needs a reducer"),
    ],
)
def test_what_an_experiment_does_not_have_is_refused(text, told):
    with pytest.raises(ConfigError) as caught:
        parse(text, MODEL, arms=ARMS, where="finding.value")
    assert str(caught.value).startswith("finding.value: ")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"kind": "peek"}, "no reducer"),
        ({"kind": "at"}, "takes moment"),
        ({"kind": "above"}, "takes level"),
        ({"kind": "peak", "level": 1.0}, "takes neither"),
        ({"kind": "at", "moment": 1.0, "window": (0.0, 1.0)}, "no window"),
        ({"kind": "peak", "window": (1.0, 1.0)}, "empty"),
    ],
)
def test_a_reduction_cannot_be_made_wrongly(arguments, told):
    with pytest.raises(ConfigError, match=told):
        Reduction(name="spines.density", **arguments)


def test_lists_are_split_outside_brackets_and_named():
    found = parse_all(["spines.auc(0 h, 4 h), spines.peak", "x = spines@1h / plasma@1h"], MODEL)
    assert [one.label for one in found] == ["spines.auc(0 h,4 h)", "spines.peak", "x"]
    assert found[2].text == "spines@1h / plasma@1h"
    (one,) = parse_all(["spines.at(1h) / spines.at(0h)"], MODEL)
    assert one.label == "spines.at(1h) per spines.at(0h)"
    with pytest.raises(ConfigError, match="--summary: two read-outs are called"):
        parse_all(["spines.peak, spines.peak"], MODEL, where="--summary")
    with pytest.raises(ConfigError, match="1001 read-outs; at most 1000"):
        parse_all(["spines.peak"] * 1001, MODEL)
    with pytest.raises(ConfigError, match="cannot name a read-out; name it: x = "):
        parse_all(["spines.peak * 1 mL^2"], MODEL)


def test_a_text_read_for_one_model_is_read_anew_for_another():
    """Texts are remembered: of models with the same mechanisms, and as faulty by nobody."""
    bound = State("bound", 0.0, "%", "share of receptors that hold drug")
    other = toy.model(toy.body(), toy.receptor(states=(bound,)))
    for model, told in ((MODEL, "1"), (other, "%"), (MODEL, "1")):
        (one,) = parse_all(["receptor.bound.peak"], model)
        assert one.unit == told
    edited = MODEL.with_values({"receptor.affinity": "600 nM"})
    assert parse_all(["spines.peak"], edited)[0] is parse_all(["spines.peak"], MODEL)[0]
    for where in ("--summary", "objective"):
        with pytest.raises(ConfigError, match=f"{where}: .*spines"):
            parse_all(["spines.peak"], other, where=where)


@pytest.mark.parametrize("label", ["time", "member", "status", "steps", "rtol", "nmda.k_s"])
def test_a_label_shadows_nothing(label):
    with pytest.raises(ConfigError, match=r"otherwise: x = \.\.\."):
        check_labels(["fine", label], taken=["nmda.k_s"])
    check_labels(["fine", "time to peak"], taken=["nmda.k_s"])


@pytest.mark.parametrize("hostile", ["../x", "/x", "..", "a\\b", "a:b", "x\n", "", ".", "a/../b"])
def test_a_label_never_leads_out_of_a_store(hostile):
    try:
        label = parse(f"{hostile} = spines.peak", MODEL).label
    except ConfigError:
        return
    assert not set(label) & set("/\\:\n")
    assert label.strip(". ") == label != ""
    with pytest.raises(ConfigError, match="cannot name a read-out"):
        check_labels([hostile + "/\n"])


def test_times_outside_the_run_are_refused():
    one = parse("spines@1h / spines.auc(0h, 90 min)", MODEL)
    assert one.moments == (0.0, 1.0, 1.5)
    check_moments([one], 0.0, 1.5)
    for begin, end in ((0.0, 1.0), (0.5, 2.0)):
        with pytest.raises(ConfigError, match="lies outside the run, which goes from"):
            check_moments([one], begin, end)


def test_of_a_long_read_out_as_much_is_shown_as_can_be_read():
    text = "spines@2h" + " + spines@2h" * 20
    with pytest.raises(ConfigError) as refused:
        check_moments([parse(text, MODEL)], 0.0, 1.0)
    assert f'"{text[:80]}": 2 h lies outside' in str(refused.value)


def refusal(read, text, **options):
    try:
        read(text, MODEL, where="here", **options)
    except KetasimError as error:
        return str(error)
    return ""


@given(st.text(alphabet="spine.density()+-*/=,@0123 hatpkmu_%'[]:^\n", max_size=80))
@example("spines.peak*1e309")
@example("spines.at(1e999 h)")
@example("5 h^9*h^9")
@example("\x00")
def test_any_text_is_a_read_out_or_a_sentence(text):
    for options in ({}, {"arms": ARMS, "bare": "declared"}):
        assert refusal(parse, text, **options)[:6] in ("", "here: ")
    assert refusal(parse_all, [text])[:6] in ("", "here: ")


NAMES = ["spines", "spines.density", "spines.share", "plasma", "body.s", "spines.rate", "score"]
TIMES = st.sampled_from(["0 h", "-30 min", "1e-3 d", "4h"])
NUMBERS = st.sampled_from(["0.1", "3", "1e-7", "24 h", "5 ng/mL", "2 1/h", "7 %", "3 nmol"])


@st.composite
def readings(draw):
    name = draw(st.sampled_from(NAMES))
    full = MODEL.short_names.get(name, name)
    kind = draw(st.sampled_from(list(KINDS)))
    first = {"": [], "moment": [draw(TIMES)]}.get(
        KINDS[kind].argument, [f"{draw(st.floats(0, 9))!r} {MODEL.unit(full)}"]
    )
    window = draw(st.sampled_from([[], ["-1 h", "40 min"]])) if KINDS[kind].windowed else []
    inside = ", ".join([*first, *window])
    text = f"{name}.{kind}" + (f"({inside})" if inside else "")
    arm = draw(st.sampled_from(ARMS))
    return draw(st.sampled_from([f"{arm}.{text}", f"effect({arm}, {text})", f"given({arm})"]))


FORMULAS = st.recursive(
    st.one_of(readings(), NUMBERS, st.just("parameter(spines.k_s)")),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(" ".join),
        inner.map("({})".format),
        inner.map("-{}".format),
        inner.map("abs({})".format),
        st.tuples(inner, inner).map(lambda two: f"min({two[0]}, {two[1]})"),
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "text",
    [
        "1.0 - (spines.density.peak - 2.0)",
        "(1.0 + spines.density.peak) * (3.0 - 1.0) * 2.0",
        "1.0 / (spines.density.peak / 2.0) + 1.0 * 3.0",
        "-(1.0 * spines.density.peak) - -spines.density.peak",
        "abs(1.0 + spines.density.peak) - min(3.0 * 2.0, spines.density.at(2.0 h))",
        "effect(spines.density.above(0.5, -1.0 h, 24.0 h)) + 5.0 h",
        "parameter(spines.k_s) - 3.0 nM",
    ],
)
def test_a_formula_prints_the_brackets_it_needs(text):
    assert parse(text, MODEL, bare="declared").written(MODEL) == text


@given(FORMULAS, st.sampled_from(["refuse", "declared"]))
@example("ketamine.plasma.above(2.921095675605546 ng/mL)", "refuse")
def test_a_printed_read_out_reads_back_to_itself(text, bare):
    try:
        one = parse(text, MODEL, arms=ARMS, bare=bare)
    except KetasimError:
        assume(False)
    assume(one.lookups)
    again = parse(one.written(MODEL), MODEL, arms=ARMS)
    assert again.node == one.node
    assert again.written(MODEL) == one.written(MODEL)
    assert again.moments == one.moments
