"""``--set`` changes keys of the file and parameters of the model, and nothing else."""

import pytest

from cli.texts import SINGLE_IV
from ketasim.config import loads
from ketasim.errors import ConfigError


def test_a_parameter_keeps_its_unit():
    model = loads(SINGLE_IV, sets=["nmda.k_s=400 nM"]).scenario.resolved_model
    assert model.value("nmda.k_s") == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("text", "sets", "same"),
    [
        ("0.5 mg/kg", ["dosing[0].amount=1 mg/kg"], "1 mg/kg"),
        ("0.5 mg/kg", ['dosing[0].amount="1 mg/kg"'], "1 mg/kg"),
        ("7 d", ["output.until=3 d"], "3 d"),
        ('schema = 1', ["subject.species=rat", "allow_unusual_dose=true"],
         'schema = 1\nsubject = "rat"\nallow_unusual_dose = true'),
        ('"7 d"', ['output.observables=["spines"]'], '"7 d"\nobservables = ["spines"]'),
    ],
)  # fmt: skip
def test_a_key_set_is_a_key_written(text, sets, same):
    assert loads(SINGLE_IV, sets=sets) == loads(SINGLE_IV.replace(text, same))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nmda.k_s", "--set nmda.k_s: write NAME=VALUE"),
        ("=1", "--set =1: write NAME=VALUE"),
        (
            "dosing[3].amount=1 mg",
            "--set dosing[3].amount: there is no [3]; the file has 1 of these.",
        ),
        ("dosing[0].amount.x=1", '--set dosing[0].amount.x: "x" is not in a table.'),
        ("dosing[0]!=1", "--set dosing[0]!: write a key such as dosing[0].amount."),
        ("output.untl=1 d", 'output.untl: unknown key. Did you mean "until"?'),
        ("stress.stressor=1", "--set stress.stressor: no such parameter."),
        ("engine.rtol=tiny", 'engine.rtol = "tiny": must be a valid number.'),
        ("body.weight=80 kg", "--set body.weight = 80 kg: the subject sets this"),
    ],
)
def test_what_cannot_be_set(text, message):
    with pytest.raises(ConfigError) as caught:
        loads(SINGLE_IV, sets=[text])
    assert message in str(caught.value)
