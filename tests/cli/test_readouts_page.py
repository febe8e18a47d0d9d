"""The page on read-outs says what the language is, and every line it shows is understood."""

import re
from pathlib import Path

import pytest

from ketasim import models
from ketasim.readouts import KINDS, parse

PAGE = (Path(__file__).parents[2] / "docs" / "readouts.md").read_text(encoding="utf-8")
MODEL = models.antidepressant()
UNITS = {"value": "of the value", "time": "h", "integral": "of the value, times h"}
OF_RUNS, _, OF_ARMS = PAGE.partition("## In a finding")


def lines(text):
    """Return every line of the blocks that show read-outs."""
    return [one for block in re.findall(r"```text\n(.*?)```", text, re.DOTALL)
            for one in block.splitlines()]  # fmt: skip


def test_the_table_holds_every_reducer_with_its_meaning_and_unit():
    rows = [
        f"| `{one.example(kind, '1')}` | {one.meaning} | {UNITS[one.measures]} |"
        for kind, one in KINDS.items()
    ]
    shown = PAGE.partition("| write |")[2].partition("\n\n")[0].splitlines()[2:]
    assert shown == rows


def test_the_short_names_are_the_models():
    told = re.search(r"or its short name: ([\w, ]+)\.", PAGE)[1]
    assert told.split(", ") == list(MODEL.short_names)


@pytest.mark.parametrize("text", lines(OF_RUNS))
def test_a_line_is_a_readout_of_one_run(text):
    assert parse(text, MODEL).lookups


@pytest.mark.parametrize("text", lines(OF_ARMS))
def test_a_line_is_a_readout_of_arms(text):
    assert parse(text, MODEL, arms=("ketamine", "nbqx"), bare="declared").lookups


def test_there_are_lines_to_read():
    assert len(lines(OF_RUNS)) > 10
    assert len(lines(OF_ARMS)) > 2
