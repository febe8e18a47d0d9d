from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ketasim.errors import ConfigError
from ketasim.studies.expressions import Given, Ledger, Reading, evaluate, parse, readings


def value(text, table=None):
    return float(evaluate(parse(text), lambda one: np.asarray((table or {})[one])))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * 3", 9.0),
        ("8 / 4 / 2", 1.0),
        ("5 - 3 - 1", 1.0),
        ("-2 * -3", 6.0),
        ("abs(-4) + min(1, 2) - max(3, 1.5e0)", 2.0),
    ],
)
def test_arithmetic_follows_the_usual_rules(text, wanted):
    assert value(text) == wanted


def test_readings_keep_their_arm_their_summary_and_their_control():
    node = parse("effect(nbqx, a.b.auc(0 h, 4 h)) / ket.a.b.peak + parameter(x.y) * given(ket)")
    assert list(readings(node)) == [
        Reading("nbqx", "a.b.auc(0 h, 4 h)", effect=True),
        Reading("ket", "a.b.peak"),
        Ledger("x.y"),
        Given("ket"),
    ]


def test_zero_over_zero_is_not_a_number_and_warns_nobody():
    table = {Reading("a", "b.c.peak"): 0.0}
    assert np.isnan(value("a.b.c.peak / a.b.c.peak", table))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1 +", 'before "the end"'),
        ("foo", "is not a read-out"),
        ("(1", "is needed"),
        ("a.b.at(3", 'a closing ")"'),
        ("1 2", "an operator is needed"),
        ("__import__('os')", "is not a read-out"),
        ("-" * 100 + "1", "nested too deeply"),
        ("(" * 100 + "1", "nested too deeply"),
        ("1" * 3000, "at most 2000"),
        ("effect(a)", "is needed"),
    ],
)
def test_what_is_no_formula_is_refused_with_its_place(text, told):
    with pytest.raises(ConfigError) as caught:
        parse(text, "measure[0].value")
    assert str(caught.value).startswith("measure[0].value: ")
    assert told in str(caught.value)


@given(st.text(alphabet="abt.()+-*/, 0159eh_@[]'\"", max_size=60))
def test_any_text_is_a_formula_or_a_config_error(text):
    with suppress(ConfigError):
        parse(text)
