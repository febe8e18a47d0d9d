"""Are a model's digest and its kernel those of the laws that run, whatever becomes of the files?"""

import importlib.util
import sys

import pytest

import ketasim as ks
from ketasim.core.code import beside, code_of, text_of
from ketasim.engines.kernels import _Held, _structure

FILE = '''"""A drug that leaves."""
import math
from ketasim.core.declare import Flow, Inlet, Mechanism, Parameter, State, Substance
from ketasim.core.evidence import assumed
from ketasim.core.model import Model

FACTOR = 1.0


def scaled(x):
    return FACTOR * x


def clear(amount, k_el):
    """Drug leaves in proportion to what is there."""
    return scaled(k_el) * amount


WHY = assumed("a toy")
BODY = Mechanism(
    name="body", story="One.", states=(State("s", 0.0, "nmol", "drug", scale=100.0),),
    parameters=(Parameter("k_el", 0.25, "1/h", (0.01, 2.0), WHY),),
    flows=(Flow(clear, out_of="s", using={"amount": "s"}),), inlets=(Inlet("d", "iv", "s"),),
)
MODEL = Model((BODY,), (Substance("d", 200.0, (("d", 1.0),), "a drug"),), name="own")
'''
EDITS = {
    "a helper": ("FACTOR * x", "2.0 * FACTOR * x"),
    "a constant": ("FACTOR = 1.0", "FACTOR = 2.0"),
    "the law": ("* amount", "* amount * 2.0"),
}


def loaded(path, *edit):
    path.write_text(FILE.replace(*edit) if edit else FILE, encoding="utf-8")
    return ks.models.load(path)


def key(model):
    return _structure(_Held(model)).key


def left(model, engine):
    """Return what is left of a dose after an hour."""
    asked = ks.Scenario(
        model, ks.bolus("10 mg", drug="d"), ks.hours(0, 1, every=1.0), ks.Subject("cell", 70.0),
        record=("body.s",),
    )  # fmt: skip
    return float(ks.simulate(asked, engine=engine)["body.s"][0, -1])


@pytest.mark.parametrize("edit", EDITS)
def test_what_a_law_calls_by_name_is_part_of_its_model(tmp_path, edit):
    before, after = loaded(tmp_path / "own.py"), loaded(tmp_path / "own.py", *EDITS[edit])
    assert before.digest != after.digest
    assert key(before) != key(after)
    again = loaded(tmp_path / "own.py")
    assert (again.digest, key(again)) == (before.digest, key(before))


def test_a_kernel_kept_for_a_law_is_not_run_once_its_helper_is_edited(tmp_path, monkeypatch):
    monkeypatch.setenv("KETASIM_CACHE_DIR", str(tmp_path / "kernels"))
    for edit in (), EDITS["a helper"]:
        model = loaded(tmp_path / "own.py", *edit)
        assert left(model, "ensemble") == pytest.approx(left(model, "reference"), rel=1e-5)


def test_a_source_edited_after_its_law_was_read_is_not_taken_for_it(tmp_path, monkeypatch):
    path = tmp_path / "edited.py"
    path.write_text(FILE, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("edited_while_used", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    path.write_text(FILE.replace(*EDITS["the law"]), encoding="utf-8")
    model, edited = module.MODEL, loaded(tmp_path / "own.py", *EDITS["the law"])
    assert "2.0" not in text_of(module.clear)
    assert model.digest != edited.digest
    assert key(model) == key(loaded(tmp_path / "own.py")) != key(edited)


def test_laws_of_the_package_are_told_by_their_source_alone():
    model = ks.models.antidepressant()
    for wire in (*model.derived, *model.quantities, *model.flows):
        assert text_of(wire.law).lstrip().startswith("def ")
        assert beside(wire.law) == ""


def test_lambdas_closures_and_modules_are_told():
    factor = 3.0
    several = [lambda x: factor * x, lambda x: sys.maxsize + x, len]
    assert "factor = 3.0" in code_of(several[0])
    assert f"sys.maxsize = {sys.maxsize}" in code_of(several[1])
    assert text_of(several[2]) == repr(len)
    assert len({code_of(one) for one in several}) == 3
