"""What bounds rest on, ranges by what was published, and how they are listed and drawn within."""

import csv
import io
import json
import re

import numpy as np
import pytest
from click.testing import CliRunner

import ketasim as ks
from ketasim.cli.main import group
from ketasim.core.bounds import ends, wide
from ketasim.core.declare import Parameter
from ketasim.core.evidence import Grounds, assumed, by_source, by_test, seen
from ketasim.core.system import System
from ketasim.errors import ConfigError
from ketasim.studies.findings.robustness import _parameters, _possible, _spread, unmeasured

WHY = assumed("for a test")
MODEL = ks.models.antidepressant()


def parameter(value, bounds, unit="1/h", **more):
    return Parameter("k", value, unit, bounds, WHY, **more)


@pytest.mark.parametrize(
    ("one", "low", "high"),
    [
        (parameter(2.0, (1.0, 5.0)), 0.2, 20.0),
        (parameter(2.0, (0.1, 5.0)), 0.1, 20.0),  # never narrower than the ledger
        (parameter(2.0, (0.0, 5.0)), 0.0, 20.0),
        (parameter(0.4, (0.2, 0.6), "1", grounds=Grounds(most=1.0)), 0.0, 1.0),
        (parameter(3.0, (2.0, 4.0), "1", role="exponent"), 1.0, 6.0),
        (parameter(3.0, (2.0, 4.0), "1", grounds=Grounds(least=1.0)), 1.2, 21.0),  # a fold
        (parameter(-60.0, (-66.0, -55.0), "mV"), -80.0, -40.0),
        (parameter(-0.06, (-0.066, -0.055), "V"), -0.08, -0.04),
        (parameter(-12.0, (-20.0, -5.0), "mV"), -32.0, 0.0),
        (parameter(2.0, (1.0, 5.0), grounds=Grounds(seen=seen(1.5, 9.0, "two", "A"))), 1.0, 9.0),
        (parameter(0.5, (0.0, 1.0), "1", role="gain"), 0.0, 1.0),
        (parameter(7.0, (7.0, 7.0)), 7.0, 7.0),
    ],
)
def test_the_wide_range_follows_sources_or_a_stated_rule(one, low, high):
    found = wide(one)
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.read == (one.grounds.seen is not None)
    assert found.told.startswith(("no source; ", "sources: ", "chosen"))


def test_an_end_says_source_test_limit_or_that_there_is_none():
    grounds = Grounds(low=by_test("so that it holds"), high=by_source("five at most", "A"))
    assert [str(e) for e in ends(parameter(2.0, (1.0, 5.0), grounds=grounds))] == [
        "test: so that it holds",
        "source: five at most [A]",
    ]
    plain = ends(parameter(0.4, (0.0, 1.0), "1", grounds=Grounds(most=1.0)))
    assert [e.kind for e in plain] == ["limit", "limit"]
    assert [e.kind for e in ends(parameter(2.0, (1.0, 5.0)))] == ["no source", "no source"]
    assert [e.kind for e in ends(parameter(0.5, (0.0, 1.0), role="gain"))] == ["chosen", "chosen"]


def test_members_drawn_widely_leave_the_ledger_and_impossible_rests_are_left_out():
    names = unmeasured(MODEL)
    vary = _spread(MODEL, names, widely=True)
    rows = ks.designs.random(MODEL, 64, vary=vary, seed=1).rows(0, 64)
    beyond = [
        not (MODEL.parameters[n].bounds[0] <= x <= MODEL.parameters[n].bounds[1])
        for n, x in zip(names, rows[0], strict=True)
    ]
    assert sum(beyond) > len(names) / 4
    members = _parameters(MODEL, names, rows)
    assert _possible(MODEL, members).all()  # couplings are graded: whatever is drawn can rest
    members[7, list(MODEL.parameters).index("glutamate.ambient")] = np.nan  # no number
    assert np.flatnonzero(~_possible(MODEL, members)).tolist() == [7]
    assert _possible(MODEL, System(MODEL).default_parameters[None, :]).tolist() == [True]


def listed(*words):
    return CliRunner().invoke(group, ["list", *words], standalone_mode=True)


def test_bounds_are_listed_as_text_json_and_csv():
    told = listed("parameters", "--bounds", "--of", "spines")
    assert told.exit_code == 0
    row = next(line for line in told.output.splitlines() if line.startswith("spines.k_retire"))
    one = MODEL.parameters["spines.k_retire"]
    told_of = [part.strip() for part in row.split("  ") if part.strip()]
    assert told_of[1:3] == [f"{one.value:g}", one.unit]
    assert told_of[3] == "0.003*"
    assert told_of[4].startswith("test: was 0.004")
    assert told_of[5:7] == ["0.015", "no source"]
    data = json.loads(listed("parameters", "--bounds", "--format", "json").output)
    assert [one["parameter"] for one in data] == list(MODEL.parameters)
    sheet = list(
        csv.DictReader(io.StringIO(listed("parameters", "--bounds", "--format", "csv").output))
    )
    assert [float(one["wide_low"]) for one in sheet] == [one["wide_low"] for one in data]
    assert not [one["parameter"] for one in data if one["outside"]]
    unread = next(one for one in data if one["parameter"] == "circuit.regained")
    assert (unread["read_low"], unread["outside"]) == (None, False)
    table = ks.list_parameters(bounds=True)
    assert len(table) == len(data)
    assert next(iter(table))["low from"]


def test_a_value_outside_what_sources_say_is_marked():
    beyond = MODEL.with_values({"nmda.k_exchange": "410 1/h"})  # within the bounds; said: 432 on
    table = ks.list_parameters(bounds=True, model=beyond)
    marked = [one for one in table if one["value"].endswith("!")]
    assert [one["parameter"] for one in marked] == ["nmda.k_exchange"]
    assert marked[0]["value"] == "410!"
    assert table.note.endswith("! outside what sources say: 1.")


def test_bounds_of_anything_else_are_refused_in_a_sentence():
    found = listed("states", "--bounds")
    assert isinstance(found.exception, ConfigError)
    assert "ketasim list parameters --bounds" in str(found.exception)


def test_robustness_is_told_within_both_kinds_of_bounds():
    words = ["check", "--draws", "4", "--only", "3", "--only", "7"]
    told = CliRunner().invoke(group, words, standalone_mode=False).output
    assert re.search(r"check +ledger +wide", told)
    found = CliRunner().invoke(group, [*words, "--json"], standalone_mode=False).output
    data = json.loads(found)
    assert [one["number"] for one in data["checks"]] == [3, 7]
    for one in data["checks"]:
        assert one["ledger_not_computed"] == 0
        assert 0.0 <= one["ledger"] <= 1.0
        assert one["wide"] is None or 0.0 <= one["wide"] <= 1.0
        assert 0 <= one["wide_not_computed"] <= 4
