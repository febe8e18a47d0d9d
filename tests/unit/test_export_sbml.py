"""Does the SBML say what the model says: every law, unit, dose, source?"""

import math
import re
from xml.etree import ElementTree
from xml.sax.saxutils import unescape

import pytest

import ketasim as ks
import toy
from ketasim.config import load
from ketasim.core.declare import arguments
from ketasim.errors import MissingExtra, ModelError
from ketasim.export import peers, sbml, validate
from ketasim.export.document import source
from ketasim.export.expression import expression, names_of, shape
from ketasim.export.names import identifier, unit_id
from ketasim.export.peers import require_valid
from ketasim.units import unit

libsbml = pytest.importorskip("libsbml", reason="needs python-libsbml: SBML is not checked here")

MODEL = ks.models.antidepressant()
KEPT = []
CONFIGS = ("human_depressed_iv", "mouse_ip_after_stress", "slice_bath", "twice_weekly")


def read(text):
    """Return the model of a document, which is kept: libSBML frees what it holds with it."""
    KEPT.append(libsbml.readSBMLFromString(text))
    return KEPT[-1].getModel()


def week(protocol, *, model=MODEL, **more):
    more = {"subject": ks.human(), **more}
    return ks.Scenario(model, protocol, ks.hours(0, 24, every=1), **more)


@pytest.mark.parametrize("config", CONFIGS)
def test_libsbml_finds_no_error_and_no_unit_that_does_not_fit(config):
    verdict = validate(sbml(load(config).scenario))
    assert (verdict.errors, verdict.units, verdict.others) == ((), (), ())
    assert str(verdict) == "L3V2, 0 errors, 0 unit warnings"


def test_a_bare_model_is_valid_too():
    assert str(validate(sbml(MODEL))) == "L3V2, 0 errors, 0 unit warnings"
    assert read(sbml(MODEL)).getNumEvents() == 0


def test_a_unit_that_does_not_fit_is_found():
    text = sbml(MODEL)
    changed = re.sub(r'(id="nmda__k_exchange"[^>]*units=")per_h"', r'\1L"', text)
    assert changed != text
    assert len(validate(changed).units) == 6


def test_a_file_that_libsbml_refuses_is_not_let_out():
    with pytest.raises(ModelError, match="is not valid: line"):
        require_valid(sbml(MODEL).replace('symbol="bdnf__k_synthesis"', 'symbol="ampa__nobody"'))


def test_every_named_thing_is_there_with_value_and_unit():
    model = read(sbml(MODEL))
    for full in MODEL.parameters:
        one = model.getParameter(identifier(full))
        assert (one.getName(), one.getValue()) == (full, MODEL.value(full))
        assert one.getUnits() == unit_id(MODEL.unit(full))
        assert one.getConstant()
    rates = {one.getVariable() for one in model.getListOfRules() if one.isRate()}
    assert rates == {identifier(state) for state in MODEL.states}
    ruled = {one.getVariable() for one in model.getListOfRules() if one.isAssignment()}
    assert {identifier(str(one.name)) for one in MODEL.quantities} <= ruled
    assert len(ruled) == len(MODEL.quantities) + len(MODEL.flows)


def test_each_law_is_one_function_definition():
    model = read(sbml(MODEL))
    wires = (*MODEL.derived, *MODEL.quantities, *MODEL.flows)
    laws = {wire.law for wire in wires}
    assert model.getNumFunctionDefinitions() == len(laws) + 2
    for law, name in names_of(wires).items():
        one = model.getFunctionDefinition(name)
        asked = [one.getArgument(i).getName() for i in range(one.getNumArguments())]
        assert tuple(asked) == arguments(law)
        assert law.__doc__.strip() in unescape(one.getNotesString(), {"&apos;": "'"})


@pytest.mark.parametrize(
    "text", ["h", "umol/L", "uM/h", "mV", "mg/umol", "kg", "ng/mL", "L/h", "mmHg", "points"]
)
def test_a_unit_definition_is_worth_what_our_unit_is(text):
    document = libsbml.readSBMLFromString(sbml(ks.models.antidepressant("safety")))
    definition = document.getModel().getUnitDefinition(unit_id(text))
    plain = libsbml.UnitDefinition.convertToSI(definition)
    factor = math.prod(
        (one.getMultiplier() * 10.0 ** one.getScale()) ** one.getExponent()
        for one in plain.getListOfUnits()
    )
    si = {"h": 3600.0, "umol": 1e-6, "L": 1e-3, "mg": 1e-6, "kg": 1.0, "mV": 1e-3, "points": 1.0}
    si["mmHg"] = 133.322387415  # Pa
    wanted = 1.0
    for axis, power in zip(si, _powers(text), strict=True):
        wanted *= si[axis] ** power
    assert factor == pytest.approx(wanted, rel=1e-12)


def _powers(text):
    return unit(text).dimension


def test_a_dose_is_an_event_and_time_is_in_triggers_alone():
    text = sbml(week(ks.infusion("0.5 mg/kg", over="40 min") + ks.bolus("10 mg", at="2 h")))
    model = read(text)
    moments = []
    for event in model.getListOfEvents():
        trigger = event.getTrigger()
        assert not trigger.getInitialValue()
        assert trigger.getPersistent()
        moments.append(trigger.getMath().getRightChild().getValue())
    assert moments == [0.0, 40 / 60, 2.0]
    body = text[: text.index("<listOfEvents>")]
    assert body.count("definitionURL") == 1  # the clock
    assert "piecewise" not in text


def test_what_an_event_gives_is_what_was_prescribed():
    asked = week(ks.infusion("0.5 mg/kg", over="40 min") + ks.bolus("10 mg", at="2 h"))
    model = read(sbml(asked))
    start, stop, bolus = (model.getEvent(i) for i in range(3))
    rate = start.getEventAssignment("input__pk_s__central").getMath().getValue()
    assert stop.getEventAssignment("input__pk_s__central").getMath().getValue() == 0.0
    added = bolus.getEventAssignment("pk_s__central").getMath().getRightChild().getValue()
    assert 2 * rate * 40 / 60 == pytest.approx(35.0 / 237.73 * 1e3, rel=1e-12)
    assert 2 * added == pytest.approx(10.0 / 237.73 * 1e3, rel=1e-12)


def test_what_happens_before_zero_moves_the_clock():
    held = ks.hold("ampa.antagonist", 1.0, start="-2 h", until="1 h")
    model = read(sbml(week(ks.bolus("10 mg") + held)))
    assert model.getParameter("protocol__begin").getValue() == -2.0
    triggers = [
        e.getTrigger().getMath().getRightChild().getValue() for e in model.getListOfEvents()
    ]
    assert triggers == [0.0, 2.0, 3.0]
    assert not model.getParameter("ampa__antagonist").getConstant()
    assert model.getParameter("ampa__potentiator").getConstant()


def test_a_run_without_history_starts_where_its_parameters_say():
    model = read(sbml(week(ks.bolus("10 mg"))))
    assert model.getInitialAssignment("glutamate__extracellular") is not None
    assert model.getParameter("bdnf__store").getValue() == 1.0


def test_a_run_under_old_stress_starts_at_its_fixed_point():
    stress = ks.hold("stress.stressor", 1.0, start="always")
    asked = week(ks.bolus("10 mg") + stress)
    model = read(sbml(asked))
    assert model.getInitialAssignment("glutamate__extracellular") is None
    assert model.getParameter("stress__load").getValue() == pytest.approx(1.0, abs=1e-9)


def test_rounding_in_a_fixed_point_is_not_written(monkeypatch):
    monkeypatch.setattr(
        "ketasim.export.source.steady_state",
        lambda system, before: (
            system.rest(system.prepare(system.default_parameters, before)) + 1e-29
        ),
    )
    asked = week(ks.bolus("10 mg") + ks.hold("stress.stressor", 1.0, start="always"))
    settled = source(asked).settled
    assert settled["nmda.trapped"] == 0.0
    assert settled["bdnf.store"] == 1.0


def test_an_infusion_that_lasts_to_the_end_ends():
    model = read(sbml(week(ks.infusion("10 mg", over="24 h"))))
    stop = model.getEvent(1).getEventAssignment("input__pk_s__central")
    assert stop.getMath().getValue() == 0.0


def test_stories_evidence_and_dois_travel():
    text = sbml(MODEL)
    assert "Interneurons and pyramidal cells of prefrontal cortex" in text
    one = read(text).getParameter("pk_s__clearance_70")
    own = MODEL.value("pk_s.clearance_70")
    assert f"ledger: {own:g} L/h, plausible 55 to 115" in one.getNotesString()
    assert "fitted: 76 to 114 L/h in four studies" in one.getNotesString()
    assert "https://doi.org/10.1007/s00228-015-1826-y" in one.getAnnotationString()
    term = one.getCVTerm(0)
    assert term.getBiologicalQualifierType() == libsbml.BQB_IS_DESCRIBED_BY


def test_the_subject_has_a_taxon():
    for subject, taxon in ((ks.human(), "9606"), (ks.rat(), "10116"), (ks.mouse(), "10090")):
        text = sbml(week(ks.bolus("1 mg"), subject=subject))
        assert read(text).getCVTerm(0).getResourceURI(0).endswith(f"taxonomy/{taxon}")


def test_numbers_keep_all_their_digits():
    model = MODEL.with_values({"nmda.k_s": "0.1234567890123456789 uM"})
    one = read(sbml(model)).getParameter("nmda__k_s")
    assert one.getValue() == 0.1234567890123456789


def test_the_same_scenario_gives_the_same_bytes():
    asked = load("human_depressed_iv").scenario
    assert sbml(asked) == sbml(load("human_depressed_iv").scenario)


def test_hostile_names_are_kept_out_of_the_markup():
    name = 'a<b>&"\x00\x0b\ud800 µ'
    text = sbml(week(ks.bolus("1 mg"), name=name))
    root = ElementTree.fromstring(text)
    assert root[0].attrib["name"] == 'a<b>&" µ'


def test_a_model_of_other_units_and_absent_couplings_is_valid():
    text = sbml(toy.model())
    assert str(validate(text)) == "L3V2, 0 errors, 0 unit warnings"
    model = read(text)
    assert model.getParameter("receptor__k_on").getValue() == pytest.approx(7.2)
    assert model.getParameter("body__volume").getValue() == 2.0
    bind = next(r for r in model.getListOfRules() if r.getVariable() == "flow__receptor__bind")
    assert libsbml.formulaToL3String(bind.getMath()).endswith(", 1 dimensionless)")


def test_a_saturating_response_is_read_as_one():
    def responds(signal, half, steepness):
        from ketasim.core.maths import hill

        return hill(signal - 1, half, steepness)

    assert shape(expression(responds).result)[0] == "hill"


def test_a_law_that_branches_is_refused_by_name():
    def chooses(a, b):
        return a if a > b else b

    with pytest.raises(ModelError, match="chooses: a law asks whether"):
        expression(chooses)


def test_two_laws_of_one_name_stay_two():
    def first(a):
        return a

    def second(a):
        return 2 * a

    second.__name__ = first.__name__
    second.__module__ = first.__module__
    wires = [type("W", (), {"law": law}) for law in (first, second, first)]
    assert list(names_of(wires).values()) == [
        f"law__{__name__.rpartition('.')[2]}__first",
        f"law__{__name__.rpartition('.')[2]}__first_2",
    ]


@pytest.mark.parametrize(
    ("load_extra", "module", "sentence"),
    [
        ("libsbml", "libsbml", 'SBML export needs python-libsbml: pip install "ketasim[sbml]".'),
        ("roadrunner", "roadrunner", "roadrunner is not installed: pip install libroadrunner."),
        ("copasi", "COPASI", "COPASI is not installed: pip install copasi-basico."),
    ],
)
def test_what_is_missing_is_said(monkeypatch, load_extra, module, sentence):
    monkeypatch.setitem(__import__("sys").modules, module, None)
    monkeypatch.setattr(peers, "installed", lambda name: "")
    with pytest.raises(MissingExtra) as told:
        getattr(peers, load_extra)()
    assert str(told.value) == sentence


def test_the_wrong_basico_is_pointed_out(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "COPASI", None)
    monkeypatch.setattr(peers, "installed", lambda name: "0.3" if name == "basico" else "")
    with pytest.raises(MissingExtra, match="unrelated SAP tool; COPASI's package is \"copasi-b"):
        peers.copasi()
