"""Does every number say where it comes from, and is every source a real entry?"""

import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import get_args

import pytest

from ketasim.core.bounds import ends, wide
from ketasim.core.evidence import EndKind, Kind
from ketasim.models import antidepressant, whole
from ketasim.models.subjects import PHYSIOLOGY, SPECIES, USUAL_WEIGHT
from ketasim.units import unit

ROOT = Path(__file__).parents[2]
CORE, MODEL = antidepressant(), whole()
BIB = files("ketasim").joinpath("references.bib").read_text("utf-8")
ENTRIES = dict(re.findall(r"^@\w+\{(\w+),\n(.*?)^\}", BIB, re.M | re.S))
TRAITS = {f"{who}.{what}": one for who, many in PHYSIOLOGY.items() for what, one in many.items()}
LEDGER = {
    key for one in (*MODEL.parameters.values(), *TRAITS.values()) for key in one.evidence.keys
}

LEDGER |= {
    key
    for one in MODEL.parameters.values()
    for part in (*ends(one), wide(one))
    for key in part.keys
}


def cited_by_configs():
    """Return the keys that shipped configurations cite."""
    found = (tomllib.loads(p.read_text("utf-8")) for p in (ROOT / "configs").rglob("*.toml"))
    return {key for one in found for key in one.get("references", [])}


@pytest.mark.parametrize("name", MODEL.parameters)
def test_a_number_has_unit_bounds_evidence_and_meaning(name):
    one = MODEL.parameters[name]
    low, high = one.bounds
    assert low <= one.value <= high
    assert unit(one.unit, name).factor > 0.0
    assert one.evidence.kind in get_args(Kind)
    assert len(one.evidence.note.split()) >= 2
    assert one.meaning
    if one.evidence.kind == "measured":
        assert one.evidence.keys, "a measurement names its source"
    if one.evidence.kind == "assumed":
        assert not one.evidence.keys, "an assumption leans on no source"


@pytest.mark.parametrize("name", MODEL.parameters)
def test_each_bound_says_what_it_rests_on_and_the_wide_range_holds_both(name):
    one = MODEL.parameters[name]
    for end in ends(one):
        assert end.kind in get_args(EndKind)
        assert bool(end.keys) == (end.kind == "source"), "a source is named, nothing else has one"
        assert bool(end.note) or end.kind == "no source"
    reach = wide(one)
    assert reach.low <= one.bounds[0] <= one.bounds[1] <= reach.high
    assert (reach.low < 0.0) == (one.bounds[0] < 0.0)
    assert reach.told


def test_a_bound_said_to_be_of_a_source_lies_within_a_third_of_what_the_source_states():
    sourced = {n for n, p in CORE.parameters.items() for e in ends(p) if e.kind == "source"}
    stated = {  # as the evidence has it, in the ledger's unit
        "glutamate.ambient": (None, 1.0),
        "disposition.f_nose": (None, 0.54),
        "pk_r.clearance_70": (None, 114.0),
        "pk_s.clearance_70": (None, 114.0),
        "translation.most_erk": (1.5, None),
        "translation.mtorc1_reached": (1.5, 3.0),
        "translation.local_reached": (1.3, None),
        "nmda.k_exchange": (432.0, 1152.0),  # 0.12 and 0.32 per s
    }
    assert sourced == set(stated)
    for name, pair in stated.items():
        one = CORE.parameters[name]
        for bound, end, said in zip(one.bounds, ends(one), pair, strict=True):
            assert (end.kind == "source") == (said is not None)
            assert said is None or bound == pytest.approx(said, rel=0.34)


def test_the_bounds_that_the_history_shows_moved_for_a_test_are_flagged():
    # Every end moved, after a fit stood at it, so that a window of the scorecard is reached.
    low = {"stress.k_resilience", "stress.k_stress", "spines.k_retire", "spines.k_stabilise"}
    high = {
        "circuit.opposed", "outcome.k_mood", "stress.most", "stress.steepness",
        "nmda.voltage_interneuron", "nmda.voltage_pyramidal",
    }  # fmt: skip
    for name, one in CORE.parameters.items():
        moved = tuple(end.kind == "test" and end.note.startswith("was ") for end in ends(one))
        assert moved == (name in low, name in high), name


@pytest.mark.parametrize("name", TRAITS)
def test_a_trait_of_a_subject_has_limits_about_its_median_evidence_and_meaning(name):
    one = TRAITS[name]
    assert 0.0 < one.within[0] < one.median < one.within[1]
    assert 0.0 < one.cv < 1.0
    assert one.meaning
    assert len(one.evidence.note.split()) >= 2
    assert bool(one.evidence.keys) == (one.evidence.kind != "assumed")
    assert set(one.scales) <= set(MODEL.parameters)
    assert bool(one.scales) != bool(one.parameter)


def test_every_species_has_a_weight_about_its_usual_one():
    assert set(PHYSIOLOGY) == set(SPECIES)
    for species, many in PHYSIOLOGY.items():
        factor = {"kg": 1.0, "g": 1e-3}[USUAL_WEIGHT[species].split()[1]]
        usual = float(USUAL_WEIGHT[species].split()[0]) * factor
        assert many["weight"].median == pytest.approx(usual)


def test_only_constants_have_no_room_to_vary():
    fixed = {name for name, one in CORE.parameters.items() if one.bounds[0] == one.bounds[1]}
    assert fixed == {
        "body.reference_weight", "nmda.reference_voltage", "plasma.molar_mass", "spines.floor",
        "circuit.pulse", "nmda.reference", "nmda.reference_magnesium", "outcome.score_span",
    }  # fmt: skip


def test_every_key_of_a_ledger_is_in_the_references():
    assert sorted(LEDGER - set(ENTRIES)) == []


def test_every_key_of_a_configuration_is_in_the_references():
    assert sorted(cited_by_configs() - set(ENTRIES)) == []


def test_no_reference_is_unused():
    assert sorted(set(ENTRIES) - LEDGER - cited_by_configs()) == []


@pytest.mark.parametrize("key", ENTRIES)
def test_an_entry_has_a_title_and_a_year(key):
    fields = dict(re.findall(r"(\w+)\s*=\s*\{((?:[^{}]|\{[^{}]*\})*)\}", ENTRIES[key]))
    assert fields["title"]
    assert re.fullmatch(r"(19|20)\d\d|n\.d\.", fields["year"])
    assert re.fullmatch(r"10\.\d{4,}/\S+", fields.get("doi", "10.1234/none"))
    digits = re.search(r"\d{4}", key)
    assert digits is None or digits[0] == fields["year"]


def test_no_entry_is_given_twice():
    keys = re.findall(r"^@\w+\{(\w+),", BIB, re.M)
    assert len(keys) == len(set(keys)) == len(ENTRIES)


def test_states_and_knobs_have_units_and_meanings():
    for full in (*MODEL.states, *MODEL.knobs, *(str(w.name) for w in MODEL.quantities)):
        assert MODEL.meaning(full)
        unit(MODEL.unit(full), full)
