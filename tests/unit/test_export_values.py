"""Do values changed in another tool come back, by name, in the right unit, and nothing else?"""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ketasim.config import load
from ketasim.errors import MissingExtra, ModelError, UnitError
from ketasim.export import peers, read_values, sbml

pytest.importorskip("libsbml", reason="needs python-libsbml: SBML is not read here")

SETUP = load("human_depressed_iv")
ASKED = SETUP.scenario
TEXT = sbml(ASKED)
NAMES = sorted(set(ASKED.resolved_model.parameters) - set(ASKED.own_values))


def changed(name, value, text=TEXT):
    """Return a document with the value of one parameter replaced."""
    own = name.replace(".", "__")
    found, count = re.subn(rf'(id="{own}"[^>]* value=")[^"]*"', rf'\g<1>{value}"', text)
    assert count == 1
    return found


def back(tmp_path, text, asked=ASKED):
    path = tmp_path / "model.xml"
    path.write_text(text, encoding="utf-8")
    return read_values(path, asked)


def test_nothing_changed_is_nothing_changed(tmp_path):
    values = back(tmp_path, TEXT)
    assert (values.changed, values.cautions) == ({}, ())


def test_export_import_export_gives_the_same_bytes(tmp_path):
    values = back(tmp_path, TEXT)
    again = load("human_depressed_iv", sets=[f"{n}={t}" for n, t in values.changed.items()])
    assert sbml(again.scenario) == TEXT


@settings(max_examples=8)
@given(name=st.sampled_from(NAMES), factor=st.floats(0.5, 2.0))
def test_a_change_comes_back_to_the_last_bit(tmp_path_factory, name, factor):
    setup = load("human_healthy_iv")
    value = setup.scenario.resolved_model.value(name) * factor
    path = tmp_path_factory.mktemp("back") / "model.xml"
    path.write_text(changed(name, repr(value), sbml(setup.scenario)), encoding="utf-8")
    texts = [f"{n}={t}" for n, t in read_values(path, setup.scenario).changed.items()]
    again = load("human_healthy_iv", sets=texts).scenario
    assert again.resolved_model.value(name) == value
    assert read_values(path, again).changed == {}
    once = sbml(again)
    path.write_text(once, encoding="utf-8")
    assert sbml(load("human_healthy_iv", sets=texts).scenario) == once


def test_a_value_in_another_unit_is_converted(tmp_path):
    per_minute = (
        '<unitDefinition id="per_minute"><listOfUnits><unit kind="second" exponent="-1" scale="0" '
        'multiplier="60"/></listOfUnits></unitDefinition>'
    )
    text = TEXT.replace("</listOfUnitDefinitions>", f"{per_minute}</listOfUnitDefinitions>")
    text = re.sub(r'(id="nmda__k_exchange"[^>]*units=")per_h"', r'\1per_minute"', text)
    values = back(tmp_path, changed("nmda.k_exchange", "2.0", text))
    assert list(values.changed) == ["nmda.k_exchange"]
    number, unit = values.changed["nmda.k_exchange"].split()
    assert float(number) == pytest.approx(120.0, rel=1e-14)
    assert unit == "1/h"


def test_another_dimension_is_refused(tmp_path):
    text = re.sub(r'(id="nmda__k_exchange"[^>]*units=")per_h"', r'\1L"', TEXT)
    with pytest.raises(UnitError, match=r"nmda\.k_exchange: its unit there is .*litre.* is needed"):
        back(tmp_path, text)


def test_a_missing_unit_is_refused(tmp_path):
    text = re.sub(r'(id="nmda__k_exchange"[^>]*) units="per_h"', r"\1", TEXT)
    with pytest.raises(UnitError, match=r"nmda\.k_exchange = [\d.]+: a unit is needed"):
        back(tmp_path, text)


def test_a_missing_value_is_refused(tmp_path):
    text = re.sub(r'(id="nmda__k_exchange"[^>]*) value="[\d.]+"', r"\1", TEXT)
    with pytest.raises(ModelError, match=r"nmda\.k_exchange: it has no value"):
        back(tmp_path, text)


def test_what_the_subject_sets_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"body\.weight: the subject sets this"):
        back(tmp_path, changed("body.weight", "80.0"))


def test_what_the_protocol_sets_is_said_and_left_out(tmp_path):
    values = back(tmp_path, changed("ampa.antagonist", "0.5"))
    assert values.changed == {}
    assert values.cautions == (
        "model.xml: ampa.antagonist is set by the configuration; its value there is left out.",
    )


def test_what_is_not_ours_is_said_and_left_out(tmp_path):
    text = TEXT.replace('id="nmda__k_exchange"', 'id="nmda__k_exchang"')
    values = back(tmp_path, text)
    assert (
        "nmda__k_exchang is not in this model and is left out. Did you mean" in values.cautions[0]
    )
    assert "1 parameters are not in it" in values.cautions[1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "cannot be read as SBML"),
        ("not xml", "cannot be read as SBML"),
        ("<sbml/>", "cannot be read as SBML"),
        (
            '<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2">'
            '<model id="m"/></sbml>',
            "none of its parameters is one of this model",
        ),
    ],
)
def test_a_file_that_is_no_model_of_ours_is_refused(tmp_path, text, told):
    with pytest.raises(ModelError, match=told):
        back(tmp_path, text)


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path):
    with pytest.raises(ModelError, match="cannot be read"):
        read_values(tmp_path / "nowhere.xml", ASKED)
    path = tmp_path / "model.xml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match="not UTF-8"):
        read_values(path, ASKED)


def test_a_value_that_is_no_number_is_refused_when_it_is_used(tmp_path):
    values = back(tmp_path, changed("nmda.k_exchange", "NaN"))
    texts = [f"{n}={t}" for n, t in values.changed.items()]
    with pytest.raises(Exception, match=r"finite number is needed|must be"):
        load("human_depressed_iv", sets=texts)


def test_copasi_gives_back_what_it_was_given(tmp_path):
    copasi = dict(peers.engines())["COPASI"]
    if isinstance(copasi, MissingExtra):
        pytest.skip(f"a round trip through COPASI is not tested: {copasi}")
    import COPASI

    document = COPASI.CRootContainer.addDatamodel()
    assert document.importSBMLFromString(TEXT)
    values = back(tmp_path, document.exportSBMLToString(3, 1))
    COPASI.CRootContainer.removeDatamodel(document)
    assert (values.changed, values.cautions) == ({}, ())
