"""Do units balance in every law, and does the balance tip when one is wrong?"""

import re
import sys
from dataclasses import replace

import pytest

import toy
from ketasim.core.declare import Derived, Flow, Parameter, Quantity, State
from ketasim.core.model import Model
from ketasim.errors import MissingExtra, UnitError
from ketasim.models import whole
from ketasim.testing import weigh, weigh_mechanism, weighing


def test_every_law_of_the_model_balances():
    model = whole()
    wires = len(model.derived) + len(model.quantities) + len(model.flows)
    assert weigh(model) == wires


def test_the_toy_balances_though_it_mixes_units():
    assert weigh(toy.model()) == 9


def faults(**changes):
    """Weigh the toy receptor with one thing changed; return what is wrong."""
    return [fault for fault in weigh_mechanism(toy.receptor(**changes)) if fault]


def too_fast(k_on, affinity):
    """Off by the hidden 3600."""
    return 3600 * k_on * affinity


def shifted(plasma, bath_drug):
    """Adds a bare number to a concentration."""
    return plasma + bath_drug + 1


def squared(plasma, bath_drug):
    """A concentration squared."""
    return plasma * bath_drug


def bare(plasma, bath_drug):
    """Forgets its argument."""
    return 1.0


def hidden(plasma, bath_drug):
    """Works only when both happen to be numbers in uM."""
    return 2 * bath_drug if getattr(plasma, "units", None) is None else bath_drug


@pytest.mark.parametrize(
    ("law", "said"),
    [
        (shifted, r"receptor\.shifted \(drug\): Cannot convert"),
        (squared, r'receptor\.squared \(drug\): gives ".*" where drug needs "uM"'),
        (bare, r'receptor\.bare \(drug\): gives "dimensionless" where drug needs "uM"'),
        (hidden, r"receptor\.hidden \(drug\): gives .* with units but .* with canonical numbers"),
    ],
)
def test_a_wrong_quantity_is_named(law, said):
    found = faults(quantities=(Quantity(law, "uM", "wrong", name="drug"),))
    assert len(found) == 1
    assert re.search(said, found[0]), found


def test_a_wrong_derived_parameter_is_named():
    wrong = Derived(toy.k_off, "uM", "leaving", name="k_off")
    assert any(
        "toy" not in one and 'where k_off needs "uM"' in one for one in faults(derived=(wrong,))
    )


def test_a_flow_must_suit_both_the_states_it_joins():
    # 1 nmol/h out of one state and 1 nmol/L/h into another: neither dimension suits both ends.
    body = toy.body()
    states = (*body.states, State("tissue", 0.0, "uM", "drug in tissue"))
    leak = Flow(toy.clear, out_of="s", into="tissue", using={"amount": "s"})
    found = [one for one in weigh_mechanism(replace(body, states=states, flows=(leak,))) if one]
    assert len(found) == 1
    assert "body.clear (s to tissue)" in found[0]
    assert 'tissue needs "uM/h"' in found[0]


def test_a_wrong_unit_in_the_ledger_tips_the_balance():
    body = toy.body()
    parameters = (
        Parameter("k_el", 0.25, "1", (0.01, 2.0), toy.WHY),
        Parameter("volume", 2000.0, "mL", (10.0, 1e5), toy.WHY),
    )
    with pytest.raises(UnitError, match=r'body\.clear \(s to outside\): .* needs "nmol/h"'):
        weigh(Model((replace(body, parameters=parameters),)))


def test_body_weight_and_drug_mass_do_not_cancel():
    ratio = {"amount": "mass", "volume": "weight"}
    body = toy.body(
        parameters=(
            Parameter("k_el", 0.25, "1/h", (0.01, 2.0), toy.WHY),
            Parameter("volume", 2.0, "mL", (1.0, 3.0), toy.WHY),
            Parameter("mass", 2.0, "mg", (1.0, 3.0), toy.WHY),
            Parameter("weight", 2.0, "kg", (1.0, 3.0), toy.WHY),
        ),
        derived=(Derived(toy.concentration, "1", "no number", "ratio", ratio),),
    )
    assert any("body.concentration (ratio)" in str(one) for one in weigh_mechanism(body))


def test_an_undeclared_argument_is_named():
    found = faults(quantities=(Quantity(too_fast, "1/h", "wrong", "drug", {"k_on": "k_onn"}),))
    assert any("asks for undeclared 'k_onn'" in one for one in found)


def test_without_pint_it_says_what_to_type(monkeypatch):
    monkeypatch.setitem(sys.modules, "pint", None)
    weighing._registry.cache_clear()
    weighing._pint_unit.cache_clear()
    with pytest.raises(
        MissingExtra, match=r'Weighing laws needs pint: pip install "ketasim\[dev\]'
    ):
        weigh(toy.model())
