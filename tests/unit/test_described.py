"""Do a model and a scenario say what they are, in a few lines?"""

import re

import numpy as np
import pytest

import ketasim as ks
from ketasim.config.people import load_people
from ketasim.config.population import load_population
from ketasim.config.schedules import load_schedule
from ketasim.config.trial import load_trial
from ketasim.studies.designs.design import of_values
from pictures import designed

MODEL = ks.models.antidepressant()
ASKED = ks.Scenario(
    MODEL.with_values({"nmda.k_s": "0.5 uM"}),
    ks.infusion("0.5 mg/kg", over="40 min")
    + ks.bath("1 uM", drug="esketamine", start="1 h", until="2 h")
    + ks.hold("nbqx", 1.0, start="always"),
    ks.hours(0, 168, every=0.5),
    ks.human(),
    record=("spines", "nmda.trapped"),
    name="a <week>",
)


def cells(html):
    return re.findall(r"<t[dh]>(.*?)</t[dh]>", html)


def test_a_model_is_told_in_a_few_lines():
    text = repr(MODEL)
    assert len(text.splitlines()) < 15
    assert max(map(len, text.splitlines())) <= 100
    assert text.startswith("Model antidepressant\n")
    told = " ".join(text.split())
    assert ", ".join(one.name for one in MODEL.mechanisms) in told
    assert f"{len(MODEL.states)} states" in told
    measured = sum(one.evidence.kind == "measured" for one in MODEL.parameters.values())
    assert f"{measured} measured" in told
    assert "changed" not in told
    assert "nmda.k_s = 0.5 uM" in repr(ASKED.model)


def test_a_scenario_is_told_in_a_few_lines():
    text = repr(ASKED)
    assert len(text.splitlines()) < 12
    for line in (
        f"model        antidepressant, {len(MODEL.mechanisms)} mechanisms",
        "subject      human, 70 kg",
        "done         0.5 mg/kg ketamine iv at 0 s over 40 min",
        "1 uM esketamine around the tissue, from 1 h until 2 h",
        "ampa.antagonist held at 1.0, always",
        "times        337 from 0 s to 7 d",
        "recorded     spines, nmda.trapped",
    ):
        assert line in text


@pytest.mark.parametrize("events", [0, 200])
def test_any_number_of_events_stays_short(events):
    dose = ks.bolus("1 mg")
    many = ks.repeat(dose, times=events, every="1 h") if events else ks.Protocol()
    text = repr(ks.Scenario(MODEL, many, ks.hours(0, 400, every=1.0), ks.human()))
    assert len(text.splitlines()) < 15
    assert ("and 194 more events" if events else "nothing") in text
    assert f"everything ({len(MODEL.recordable)} time courses)" in text


def test_a_notebook_shows_tables():
    found = cells(MODEL._repr_html_())
    assert found[0] == "Model antidepressant"
    row = found[found.index("spines") :][:6]
    spines = next(one for one in MODEL.mechanisms if one.name == "spines")
    parts = (spines.states, spines.quantities, spines.parameters, spines.knobs)
    assert row[1:5] == [str(len(one)) for one in parts]
    assert row[5] == "Dendritic spines at original and at new sites."
    assert {"a &lt;week&gt;"} & {
        one.removeprefix("Scenario ") for one in cells(ASKED._repr_html_())
    }


HELD = {
    "data": lambda: ks.load_data("plasma"),
    "designs": designed,
    "population": lambda: load_population("trials"),
    "trial": lambda: load_trial("one_infusion"),
    "schedule": lambda: load_schedule("effect_or_dissociation"),
    "crowd": lambda: load_people("human").crowd(MODEL, 3000),
    "design": lambda: of_values(tuple("abcdefghij"), ("1",) * 10, np.ones((3, 10))),
}


@pytest.mark.parametrize("held", HELD)
def test_what_holds_much_is_told_in_a_few_lines(held):
    told = HELD[held]()
    text = repr(told)
    assert 1 < len(text.splitlines()) < 15
    assert len(text) < 1200
    assert cells(told._repr_html_())[0] == text.splitlines()[0]


def test_data_say_how_much_there_is_of_what():
    text = repr(ks.load_data("plasma"))
    assert "points       45 in 2 arms" in text
    assert "times        30 min to 5 h" in text
    assert "esketamine (18), ketamine (27)" in text
