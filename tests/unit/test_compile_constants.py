"""What is fixed within a segment: computed once a member where it can be, else once a segment."""

import json
import re
from dataclasses import replace

import pytest

import toy
from ketasim.core.system import System
from ketasim.engines.ensemble import compile_kernel
from ketasim.models import antidepressant


@pytest.mark.parametrize("model", [toy.model(), antidepressant()], ids=["toy", "whole"])
def test_inputs_and_what_is_given_change_no_more_than_they_must(model):
    made = replace(compile_kernel(System(model)), key="").plan(general=False)  # not remembered
    head = json.loads(made.text.partition("\n")[0])
    once, again = (head["programs"][name][0] for name in ("prepare", "turned"))
    stored = [re.findall(r"^c:(\d+) <", text, re.MULTILINE) for text in (once, again)]
    places = sorted(int(at) for part in stored for at in part)
    assert places == list(range(made.counts["constants"]))  # each once
    assert not re.search(r"\b[kr]:", once)
    assert re.search(r"\b[kr]:", again)
    assert len(stored[0]) > len(stored[1])
