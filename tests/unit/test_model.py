"""Can a faulty model exist, and does a change of a model change what it should and no more?"""

import math
from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import toy
from ketasim.core.declare import Derived, Flow, Inlet, Knob, Parameter, Quantity, Read, State
from ketasim.core.model import Model
from ketasim.errors import ModelError, UnitError

TOY = toy.model()
SLOPE = Parameter("slope", -70.0, "mV", (-100.0, 10.0), toy.WHY)


def message(build, kind=ModelError):
    """Return the sentence that a faulty model is refused with."""
    with pytest.raises(kind) as caught:
        build()
    return str(caught.value)


def receptor_message(kind=ModelError, **changes):
    return message(lambda: toy.model(toy.body(), toy.receptor(**changes)), kind)


def body_message(kind=ModelError, **changes):
    return message(lambda: toy.model(toy.body(**changes), toy.receptor()), kind)


def test_everything_has_one_full_name():
    assert list(TOY.states) == ["body.s", "body.r", "body.gut", "receptor.bound"]
    assert {TOY.role(n) for n in TOY.states} == {"state"}
    assert TOY.role("receptor.k_off") == "derived"
    assert (TOY.role("receptor.drug"), TOY.unit("receptor.drug")) == ("quantity", "uM")
    assert TOY.meaning("receptor.blocker") == "share of receptors shut"


def test_arguments_follow_names_and_reads():
    wires = {w.label: w for w in (*TOY.quantities, *TOY.flows, *TOY.derived)}
    assert wires["receptor.seen"].arguments == ("body.plasma", "receptor.bath_drug")
    bind = wires["receptor.bind"]
    # The circuit is absent: its declared default stands in, and nothing else.
    assert bind.arguments == ("receptor.drug", "receptor.bound", "receptor.k_on", 1.0)
    assert (bind.into, bind.out_of) == ("receptor.bound", None)


def test_laws_are_ordered_so_that_each_finds_its_arguments():
    late = toy.receptor(quantities=(Quantity(toy.seen, "uM", "drug", name="drug"),))
    model = toy.model(late, toy.body())  # the reader is written before what it reads
    order = [w.name for w in model.quantities]
    assert order.index("body.plasma") < order.index("receptor.drug")
    assert [w.name for w in model.derived] == ["receptor.k_off", "receptor.half"]


def ketamine_enters(ketamin, k_on):
    """Misspelt on purpose."""
    return ketamin * k_on


def test_an_undeclared_name_is_refused_with_a_suggestion():
    reads = (Read("ketamine", "uM", of="body.plasma"), *toy.receptor().reads)
    said = receptor_message(reads=reads, flows=(Flow(ketamine_enters, into="bound"),))
    assert said == (
        "receptor.ketamine_enters asks for undeclared 'ketamin'. Did you mean \"ketamine\"?"
    )


def test_a_misspelt_read_is_refused_with_a_suggestion():
    reads = (Read("plasma", "nM", of="body.plasm"), toy.receptor().reads[1])
    assert receptor_message(reads=reads) == (
        "receptor reads 'plasma' of body.plasm: no mechanism here has it. "
        'Did you mean "body.plasma"?'
    )


def test_a_read_in_another_dimension_is_refused():
    reads = (Read("plasma", "ng/mL", of="body.plasma"), toy.receptor().reads[1])
    assert receptor_message(UnitError, reads=reads) == (
        'receptor reads \'plasma\' of body.plasma as "ng/mL", but it is declared in "uM".'
    )


def test_an_unknown_unit_is_refused_where_it_is_declared():
    said = body_message(UnitError, states=(State("s", 0.0, "umoles", ""), *toy.body().states[1:]))
    assert said == 'body.s: unknown unit "umoles". Did you mean "umol"?'


def up(down):
    """One half of a loop."""
    return 2 * down


def down(up):
    """The other half."""
    return up / 2


def test_quantities_that_wait_for_one_another_are_refused():
    loop = (*toy.body().quantities, Quantity(up, "1", ""), Quantity(down, "1", ""))
    assert body_message(quantities=loop) == (
        "these laws wait for one another in a loop: body.down, body.up."
    )


def test_derived_parameters_that_wait_for_one_another_are_refused():
    loop = (Derived(up, "1", ""), Derived(down, "1", ""))
    assert body_message(derived=loop).endswith("in a loop: body.down, body.up.")


def test_a_derived_parameter_cannot_follow_a_state():
    moving = (Derived(toy.concentration, "uM", "", using={"amount": "s"}),)
    assert body_message(derived=moving, quantities=()) == (
        "body.concentration is a derived parameter but asks for the state body.s."
    )


def test_a_name_is_declared_once():
    twice = (*toy.receptor().parameters, Parameter("bound", 1.0, "1", (0.0, 2.0), toy.WHY))
    assert receptor_message(parameters=twice) == 'receptor: the name "bound" is declared twice.'
    assert message(lambda: toy.model(toy.body(), toy.body())) == (
        "two mechanisms of this model have the same name."
    )


@pytest.mark.parametrize("name", ["k on", "k.on", "lambda", "2k", ""])
def test_a_name_can_be_written_in_a_law(name):
    odd = (*toy.receptor().parameters, Parameter(name, 1.0, "1", (0.0, 2.0), toy.WHY))
    assert receptor_message(parameters=odd) == (
        f'receptor: "{name}" cannot be used as a name in a law.'
    )


def test_a_flow_ends_in_a_state_of_its_own():
    assert receptor_message(flows=(Flow(toy.unbind, out_of="bond"),)) == (
        "receptor: a flow names the state 'bond'. Did you mean \"bound\"?"
    )


def test_using_names_an_argument_of_the_law():
    faulty = (Flow(toy.unbind, out_of="bound", using={"k_of": "k_on"}),)
    assert receptor_message(flows=faulty) == "receptor.unbind has no argument 'k_of'."


def test_a_conserved_pool_is_made_of_states():
    assert body_message(conserved=(("s", "volume"),)) == (
        'conserved pool names "body.volume", which is not a state.'
    )


@pytest.mark.parametrize(
    ("initial", "kind", "said"),
    [
        ("rest", ModelError, "receptor.rest: no such name in this model."),
        ("blocker", ModelError, "receptor.bound: its initial value receptor.blocker is not a"),
        (
            "affinity",
            UnitError,
            'receptor.bound is in "1", but its initial value receptor.affinity',
        ),
    ],
)
def test_an_initial_value_is_a_parameter_of_the_same_dimension(initial, kind, said):
    states = (State("bound", initial, "1", ""),)
    assert receptor_message(kind, states=states).startswith(said)


@pytest.mark.parametrize(
    ("into", "kind", "said"),
    [
        ("brain", ModelError, "receptor.brain: no such name in this model."),
        ("affinity", ModelError, "which is a parameter; a state or a bath knob is needed."),
        ("bound", UnitError, 'enters receptor.bound, which is in "1"; "umol" is needed.'),
        ("blocker", UnitError, 'enters receptor.blocker, which is in "%"; "uM" is needed.'),
    ],
)
def test_a_dose_enters_an_amount_and_a_bath_a_concentration(into, kind, said):
    assert said in receptor_message(kind, inlets=(Inlet("r_drug", "bath", into),))


@pytest.mark.parametrize(
    ("value", "bounds"),
    [
        (math.nan, (0.0, 1.0)), (math.inf, (0.0, math.inf)), (2.0, (0.0, 1.0)), (-1.0, (0.0, 1.0)),
        (0.5, (1.0, 0.0)), (0.5, (math.nan, 1.0)),
    ],
)  # fmt: skip
def test_a_ledger_value_lies_within_its_own_finite_bounds(value, bounds):
    odd = (*toy.receptor().parameters, Parameter("odd", value, "1", bounds, toy.WHY))
    assert "lies outside its own bounds" in receptor_message(parameters=odd)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nan 1/h", "body.k_el = nan: a finite number is needed."),
        ("inf 1/h", "body.k_el = inf: a finite number is needed."),
        ("1e999 1/h", "body.k_el = inf: a finite number is needed."),
        ("-1 1/h", "body.k_el = -1 1/h: must be >= 0."),
        ("-1 1/min", "body.k_el = -60 1/h: must be >= 0."),
        (math.nan, "body.k_el = nan: a finite number is needed."),
    ],
)
def test_a_value_outside_its_domain_is_refused(text, said):
    assert message(lambda: TOY.with_values({"body.k_el": text})) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (0.5, 'body.k_el = 0.5: a unit is needed, e.g. "0.5 1/h". Plain numbers are only accepted '
              "for dimensionless quantities."),
        ("3 uM", 'body.k_el: "uM" is a concentration; a rate ("1/h") is needed.'),
        ("3 1/hour", 'body.k_el: unknown unit "hour".'),
        (None, 'body.k_el = None: write a number and a unit, e.g. "0.5 mg/kg".'),
    ],
)  # fmt: skip
def test_a_value_in_the_wrong_unit_is_refused(text, said):
    assert message(lambda: TOY.with_values({"body.k_el": text}), UnitError).startswith(said)


def test_a_value_below_zero_is_welcome_where_the_ledger_expects_one():
    model = toy.model(toy.body(parameters=(*toy.body().parameters, SLOPE)), toy.receptor())
    assert model.with_values({"body.slope": "-0.08 V"}).value("body.slope") == -80.0


@pytest.mark.parametrize("value", ["0 1/h", "5e-324 1/h", "1e308 1/h"])
def test_extreme_but_finite_values_are_the_users_business(value):
    assert math.isfinite(TOY.with_values({"body.k_el": value}).value("body.k_el"))


def test_a_value_that_overflows_inside_is_refused():
    with pytest.raises((ModelError, UnitError), match=r"1e\+308|finite"):
        TOY.with_values({"receptor.k_on": "1e308 1/uM/s"})


def test_a_misspelt_parameter_is_refused_with_its_neighbours_value():
    assert message(lambda: TOY.with_values({"receptor.k_onn": "5 1/uM/s"})) == (
        'receptor.k_onn: no such parameter. Did you mean "receptor.k_on" (0.002 1/uM/s)? '
        '"ketasim list parameters" shows all 4.'
    )
    assert "no such parameter" in message(lambda: TOY.with_values({"receptor.bound": "1"}))


def test_an_edit_returns_a_new_model_and_converts_its_unit():
    edited = TOY.with_values({"receptor.affinity": "2 uM", "body.k_el": "0.01 1/min"})
    assert (TOY.value("receptor.affinity"), edited.value("receptor.affinity")) == (0.5, 2.0)
    assert edited.value("body.k_el") == pytest.approx(0.6, rel=1e-15)
    again = edited.with_values({"receptor.affinity": "3 uM"})
    assert again.value("receptor.affinity") == 3.0
    assert again.value("body.k_el") == edited.value("body.k_el")
    with pytest.raises(FrozenInstanceError):
        TOY.name = "other"


def test_plain_and_percent_edits_mean_the_same():
    share = Parameter("share", 20.0, "%", (0.0, 100.0), toy.WHY)
    model = toy.model(toy.body(parameters=(*toy.body().parameters, share)), toy.receptor())
    values = [
        model.with_values({"body.share": v}).value("body.share") for v in (0.3, "0.3", "30 %")
    ]
    assert values == pytest.approx([0.3, 0.3, 0.3], rel=1e-15)


@given(st.floats(1e-250, 1e250))
def test_an_edit_holds_the_number_that_was_written(value):
    assert TOY.with_values({"body.k_el": f"{value!r} 1/h"}).value("body.k_el") == value


def unbind_faster(bound, k_off):
    """Twice as fast."""
    return 2 * k_off * bound


def rebuilt(number=0):
    """Return the toy again, with one thing changed (0: nothing)."""
    body, receptor = toy.body(), toy.receptor()
    k_el, volume = body.parameters
    knob = Knob("bath_drug", 0.5, "uM", (0.0, 100.0), "drug around the tissue")
    other = [replace(toy.SUBSTANCES[0], molar_mass=201.0), toy.SUBSTANCES[1]]
    flows = (receptor.flows[0], Flow(unbind_faster, out_of="bound"))
    away = (Flow(toy.bind, into="bound"), Flow(toy.unbind, into="bound"))
    states = (replace(receptor.states[0], initial=0.1),)
    return [
        lambda: toy.model(body, receptor),
        lambda: toy.model(toy.body(parameters=(replace(k_el, value=0.26), volume)), receptor),
        lambda: toy.model(body, toy.receptor(flows=flows)),
        lambda: toy.model(body, toy.receptor(flows=away)),
        lambda: toy.model(body, toy.receptor(states=states)),
        lambda: toy.model(body, toy.receptor(knobs=(knob, receptor.knobs[1]))),
        lambda: Model((body, receptor), tuple(other)),
        lambda: toy.model(
            toy.body(inlets=(*body.inlets[:2], Inlet("s_drug", "oral", "s"))), receptor
        ),
        lambda: TOY.with_values({"body.k_el": "0.26 1/h"}),
    ][number]()


def test_the_digest_stays_when_nothing_changes():
    assert rebuilt().digest == TOY.digest
    assert TOY.with_values({"body.k_el": "0.25 1/h"}).digest == TOY.digest


@pytest.mark.parametrize("number", range(1, 9))
def test_the_digest_follows_every_number_law_and_wire(number):
    assert rebuilt(number).digest != TOY.digest


def test_equal_numbers_give_equal_digests_however_they_were_set():
    assert rebuilt(1).digest == rebuilt(8).digest


def test_where_a_dose_enters():
    assert TOY.entries("drug", "iv") == (("body.s", 0.5), ("body.r", 0.5))
    assert TOY.entries("s_drug", "bath") == (("receptor.bath_drug", 1.0),)
    assert message(lambda: TOY.entries("drg", "iv")) == (
        '"drg": no such drug. Did you mean "drug"? Drugs here: drug, s_drug.'
    )
    assert message(lambda: TOY.entries("drug", "orall")) == (
        '"orall": no such route. Did you mean "oral"? Routes here: bath, iv, oral.'
    )
    assert message(lambda: TOY.entries("drug", "oral")) == (
        '"drug" cannot be given by the route "oral".'
    )
