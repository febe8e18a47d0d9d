"""Every likely mistake is answered with what, where, why, and what to type."""

import re

import pytest

from cli.texts import SINGLE_IV, changed
from ketasim.config import loads
from ketasim.errors import ConfigError

FILE = "single_iv.toml"
INTERVENTION = '[[intervention]]\ntarget = "translation.rapamycin"\nblock = 0.95\n'


def complaint(text: str, sets: tuple[str, ...] = ()) -> str:
    """Return the one message a text is refused with."""
    with pytest.raises(ConfigError) as caught:
        loads(text, source=FILE, sets=sets)
    assert caught.value.exit_code == 2
    return str(caught.value)


def with_dosing(old: str, new: str) -> str:
    return complaint(changed(old, new))


def with_lines(lines: str) -> str:
    return complaint(SINGLE_IV + lines)


def test_typo_in_key():
    assert with_dosing("amount", "amonut").splitlines()[0] == (
        'single_iv.toml: dosing[0].amonut: unknown key. Did you mean "amount"? '
        "Keys here: amount, at, drug, duration, route, s_fraction."
    )


def test_typo_in_parameter():
    assert re.fullmatch(
        r'single_iv\.toml: model\.parameters\."nmda\.k_ss": no such parameter\. '
        r'Did you mean "nmda\.k_s" \(0\.3 uM\)\? "ketasim list parameters" shows all \d+\.',
        with_dosing('name = "antidepressant"', 'parameters = { "nmda.k_ss" = "1 uM" }'),
    )


def test_typo_in_parameter_on_the_command_line():
    message = complaint(SINGLE_IV, ("nmda.k_ss=1 uM",))
    assert message.startswith(
        '--set nmda.k_ss: no such parameter. Did you mean "nmda.k_s" (0.3 uM)?'
    )


def test_missing_unit():
    assert with_dosing('"0.5 mg/kg"', "0.5") == (
        'single_iv.toml: dosing[0].amount = 0.5: a unit is needed, e.g. "0.5 mg/kg". '
        "Plain numbers are only accepted for dimensionless quantities."
    )


def test_missing_unit_in_text():
    assert 'dosing[0].amount = 0.5: a unit is needed, e.g. "0.5 mg/kg".' in with_dosing(
        '"0.5 mg/kg"', '"0.5"'
    )


def test_wrong_dimension():
    assert with_dosing("0.5 mg/kg", "0.5 mg/L") == (
        'single_iv.toml: dosing[0].amount = "0.5 mg/L": that is a concentration; a dose per body '
        "weight is needed (mg/kg), or a total dose (mg) with subject.weight."
    )


def test_species_mix_up_is_said_and_the_run_goes_on():
    setup = loads(changed("0.5 mg/kg", "10 mg/kg"), source=FILE)
    assert setup.cautions == (
        'warning: 10 mg/kg iv with subject = "human" is 20 times the usual 0.5 mg/kg; 10 mg/kg '
        'i.p. is a rodent dose. Set subject = "rat", or allow_unusual_dose = true.',
    )


def test_species_mix_up_the_other_way():
    (caution,) = loads('subject = "rat"\n' + SINGLE_IV, source=FILE).cautions
    assert caution.startswith('warning: 0.5 mg/kg iv with subject = "rat" is 20 times less than')


@pytest.mark.parametrize("line", ['subject = "rat"\n', "allow_unusual_dose = true\n"])
def test_what_the_species_message_tells_to_type_silences_it(line):
    assert loads(line + changed("0.5 mg/kg", "10 mg/kg"), source=FILE).cautions == ()


def test_comma_decimal():
    text = changed('[output]\nuntil = "7 d"', "[engine]\nrtol = 0,5")
    assert complaint(text) == (
        "single_iv.toml line 11, column 9: expected a new line after a value. Write 0.5, not 0,5."
    )


def test_broken_toml_has_line_and_column():
    assert with_dosing('route = "iv"', "route = iv") == (
        "single_iv.toml line 7, column 9: this is not a value; text needs quotes."
    )


def test_reversed_time():
    assert with_dosing("7 d", "30 min") == (
        'single_iv.toml: output.until = "30 min" ends before the last dose stops (40 min). '
        'Use at least "40 min"; 7 d shows the spine effect.'
    )


def test_empty_time():
    text = 'schema = 1\n[output]\nuntil = "0 h"\n'
    assert 'output.until = "0 h" must come after output.from (0 s)' in complaint(text)


def test_reversed_window():
    lines = INTERVENTION + 'from = "2 h"\nuntil = "1 h"\n'
    assert "single_iv.toml: intervention[0]: its window is empty" in with_lines(lines)


def test_negative_parameter():
    lines = 'parameters = { "bdnf.k_decay" = "-1 1/h" }'
    message = with_dosing('name = "antidepressant"', lines)
    assert message == 'single_iv.toml: model.parameters."bdnf.k_decay" = -1 1/h: must be >= 0.'


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999", '"nan 1/h"', '"inf 1/h"'])
def test_parameter_that_is_not_finite(value):
    message = with_dosing('name = "antidepressant"', f'parameters = {{ "bdnf.k_decay" = {value} }}')
    assert 'model.parameters."bdnf.k_decay" = ' in message
    assert message.endswith(": a finite number is needed.")


@pytest.mark.parametrize(
    ("amount", "path", "cause"),
    [
        ('"-0.5 mg/kg"', "dosing[0].amount = ", "must be >= 0."),
        ('"nan mg/kg"', "dosing[0].amount = ", "a finite number is needed."),
        ("nan", "dosing[0].amount = ", "a finite number is needed."),
        ("1e999", "dosing[0].amount = ", "a finite number is needed."),
        ('"1e308 mg/kg"', "dosing[0].amount = ", "at most 1000 mg/kg."),
        ('"1e308 g/kg"', "dosing[0].amount = ", "too large a number to compute with."),
        ("true", "dosing[0].amount: ", 'e.g. "0.5 mg/kg" or "40 min".'),
        ("[1]", "dosing[0].amount: ", 'e.g. "0.5 mg/kg" or "40 min".'),
        ("1979-05-27", "dosing[0].amount: ", 'e.g. "0.5 mg/kg" or "40 min".'),
        ('"0.5 ngg/kg"', "dosing[0].amount: ", 'unknown unit "ngg". Did you mean "ng"?'),
        ('"much"', "dosing[0].amount = ", 'write a number and a unit, e.g. "0.5 mg/kg".'),
    ],
)
def test_amounts_that_cannot_be_given(amount, path, cause):
    message = with_dosing('"0.5 mg/kg"', amount)
    assert message.startswith(f"single_iv.toml: {path}")
    assert message.endswith(cause)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"ketamine"', '"ketamin"', 'drug = "ketamin": no such drug. Did you mean "ketamine"?'),
        ('"iv"', '"intranasl"', 'route = "intranasl": no such route. Did you mean "intranasal"'),
        ('"iv"', '"bath"', 'dosing[0].route = "bath": write a [[bath]] table'),
        ('"iv"', '"iv"\ns_fraction = 2.0', "dosing[0].s_fraction = 2.0: "),
        ('"ketamine"', '"esketamine"\ns_fraction = 0.5', 'dosing[0].s_fraction: "esketamine" is'),
        ('"40 min"', '"-40 min"', 'dosing[0].duration = "-40 min": must be >= 0.'),
        ('"40 min"', '"40"', 'dosing[0].duration = 40: a unit is needed, e.g. "40 h".'),
        ('"0 h"', '{ start = "0 d", every = "1 d" }', "dosing[0].at: write both, as in"),
        ('"0 h"', '{ every = "0 d", times = 3 }', "dosing[0].at."),
        ('"0 h"', '{ every = "1 d", tims = 3 }', "dosing[0].at.tims: unknown key. Did you mean"),
        ('"0 h"', '["0 h", "1"]', "dosing[0].at = 1: a unit is needed"),
        ('"0 h"', '"1000000 d"', 'dosing[0].at = "1000000 d": at most 100 years.'),
        ("[[dosing]]", "[dosing]", 'dosing: write "[[dosing]]" with two brackets'),
        ("[[dosing]]", "[[dosings]]", 'dosings: unknown key. Did you mean "dosing"?'),
        ("schema = 1\n", "", "schema: this key is needed; write schema = 1 in the first line."),
        ("schema = 1", "schema = 2", "schema = 2: not known. Choose from: 1."),
        ('amount = "0.5 mg/kg"\n', "", 'dosing[0].amount: this key is needed, e.g. amount = "0.5'),
        ('"antidepressant"', '"synapse"', 'model.name = "synapse": no such model.'),
        ('"7 d"', '"7 d"\nevery = "0 min"', 'output.every = "0 s": must be longer than 0.'),
        ('"7 d"', '"7 d"\nevery = "1 s"\nobservables = []', None),
        ('"7 d"', '"7 d"\nevery = "0.01 s"', 'at most 1,000,000. Use "1.2'),
        ('"7 d"', '"7 d"\ntimes = ["0 h", "1 h"]', "output.times: give either times, or"),
        ('"7 d"', '"7 d"\nobservables = ["spins"]', 'record "spins": no such state or quantity.'),
    ],
)  # fmt: skip
def test_other_mistakes(old, new, message):
    if message is None:
        loads(changed(old, new), source=FILE)
        return
    told = with_dosing(old, new)
    assert told.startswith("single_iv.toml: ")
    assert message in told


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('[[intervention]]\ntarget = "ampa.antagonst"\nlevel = 1.0\n',
         'target = "ampa.antagonst": no such target. Did you mean "ampa.antagonist"?'),
        ('[[intervention]]\ntarget = "ampa.antagonist"\n', "intervention[0]: write either level"),
        ('[[intervention]]\ntarget = "ampa.antagonist"\nlevel = 2.0\n', "intervention[0].level: "),
        ('[[intervention]]\ntarget = "nmda.memantine"\nblock = 0.5\n',
         "intervention[0].block: nmda.memantine is not a share; write level = ... (0 to 1000 uM"),
        (INTERVENTION * 2, "two windows hold translation.rapamycin at once"),
        ('[[bath]]\nconcentration = "-1 uM"\n', 'bath[0].concentration = "-1 uM": must be >= 0.'),
        ('[[bath]]\nconcentration = "1 mg/kg"\n', "bath[0].concentration: "),
        ("[subject]\nweight = 70\n", 'subject.weight = 70: a unit is needed, e.g. "70 kg".'),
        ('[subject]\nweight = "0 kg"\n', "subject.weight = "),
        ('[subject]\nspecies = "humna"\n',
         'species = "humna": not known. Did you mean "human"? Choose from: human, rat,'),
        ('[engine]\nmethod = "LSODE"\n', 'method = "LSODE": not known. Did you mean "LSODA"?'),
        ("[engine]\nrtol = 1\n", "engine.rtol = 1: must be less than or equal to 0.01."),
        ("[engine]\nrtol = nan\n", "engine.rtol = nan: a finite number is needed."),
        ('[model.parameters]\n"body.weight" = "80 kg"\n', None),
    ],
)  # fmt: skip
def test_mistakes_in_other_tables(lines, message):
    if message is None:
        text = changed('[model]\nname = "antidepressant"\n', lines)
        assert "change subject.weight instead" in complaint(text)
        return
    told = with_lines(lines)
    assert told.startswith("single_iv.toml: ")
    assert message in told


def test_a_zero_that_leaves_no_resting_state_is_named():
    message = with_dosing('name = "antidepressant"', 'parameters = { "nmda.k_s" = "0 uM" }')
    assert message.startswith('single_iv.toml: model.parameters."nmda.k_s" = 0 uM: ')
    assert message.endswith("Use 0.2 to 0.6 uM.")


def test_a_value_outside_its_bounds_is_allowed_with_a_warning():
    setup = loads(SINGLE_IV, sets=["nmda.k_s=3 uM"])
    assert setup.cautions == (
        "warning: nmda.k_s = 3 uM lies outside its plausible bounds 0.2 to 0.6 uM.",
    )


def test_all_mistakes_are_told_at_once():
    text = changed('amount = "0.5 mg/kg"\n', "", changed('"7 d"', "true"))
    lines = complaint(text).splitlines()
    assert [line.split(":")[1].strip() for line in lines] == ["dosing[0].amount", "output.until"]
