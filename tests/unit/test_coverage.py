"""Does every row of the coverage name what exists, and does the page say what the table says?"""

from collections import Counter
from dataclasses import replace

import coverage_page as coverage
import pytest

ROWS = coverage.rows()
ONE = next(one for one in ROWS if one.status == "yes")


def test_no_row_names_what_does_not_exist():
    assert list(coverage.faults(ROWS)) == []


def test_every_thing_the_documents_name_has_its_row():
    assert len(ROWS) == 155
    assert Counter(one.document for one in ROWS) == {
        "000": 56, "001": 22, "002": 25, "003": 20, "004": 32,
    }  # fmt: skip


def test_at_least_125_are_carried_with_a_check_or_a_finding_behind():
    assert sum(one.status in coverage.CARRIED and bool(one.tests) for one in ROWS) >= 125


def test_what_is_left_out_says_why():
    assert all(one.note for one in ROWS if one.status not in coverage.CARRIED)


def test_the_page_is_of_the_table():
    assert coverage.PAGE.read_text(encoding="utf-8") == coverage.page(ROWS)


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ("outcome.moood", '"outcome.moood" does not exist. Did you mean "outcome.mood"?'),
        ("check 99", '"check 99" does not exist.'),
        ("experiment trial_day_2", '"experiment trial_day_2" does not exist.'),
        ("safety 99", '"safety 99" does not exist.'),
        ("finding x", '"finding x": no such kind.'),
        ("config nowhere", '"config nowhere" does not exist.'),
    ],
)
def test_a_row_that_names_what_does_not_exist_is_a_fault(part, told):
    rows = [replace(ONE, number=1, carried=(part,))]
    assert [one for one in coverage.faults(rows) if told in one]


@pytest.mark.parametrize(
    "changes",
    [
        {"carried": ()},
        {"status": "no"},
        {"status": "no", "carried": (), "note": ""},
        {"status": "partly", "note": ""},
        {"status": "perhaps"},
        {"number": 2},
    ],
)
def test_a_row_that_does_not_hang_together_is_a_fault(changes):
    assert len(list(coverage.faults([replace(ONE, number=1, note="x")]))) == 0
    assert list(coverage.faults([replace(ONE, **{"number": 1, "note": "x", **changes})]))
