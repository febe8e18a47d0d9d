"""What models with the same mechanisms share, and which engine runs when none is named."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

import toy
from ketasim.core import shared
from ketasim.core.protocol import bolus
from ketasim.core.scenario import Scenario, Subject
from ketasim.core.system import System
from ketasim.engines import kernels
from ketasim.engines.batch import Clock
from ketasim.engines.inputs import gather, workspace
from ketasim.engines.kernels import is_ready, kernel_for
from ketasim.studies.simulate import engine_for, simulate


def test_models_that_differ_in_a_number_share_their_wiring():
    one = toy.model()
    name = next(iter(one.parameters))
    text = f"{one.parameters[name].value * 2} {one.parameters[name].unit}"
    other = one.with_values({name: text})
    assert other.flows is one.flows
    assert System(other).slots is System(one).slots
    assert System(other).default_parameters[0] == 2.0 * System(one).default_parameters[0]
    assert other.digest != one.digest


def test_other_mechanisms_are_other_wiring():
    assert (
        toy.model().flows is not replace(toy.model(), mechanisms=(*toy.model().mechanisms,)).flows
    )


def test_what_is_remembered_is_limited_and_made_once():
    made = []
    keys = [(i,) for i in range(shared.MOST + 5)]
    for key in keys:
        for _ in range(2):
            shared.remembered(key, "x", lambda key=key: made.append(key) or len(made))
    assert made == keys
    assert len(shared._KNOWN) <= shared.MOST
    shared.remembered(keys[0], "x", lambda: made.append("again"))
    assert made[-1] == "again"


def test_a_fault_is_found_again_and_not_remembered():
    key = ("fault",)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            shared.remembered(key, "x", lambda: 1 / 0)
    assert shared.remembered(key, "x", lambda: 3) == 3


def test_clocks_share_a_thread_and_each_asks_its_own_to_stop():
    before = threading.active_count()
    with Clock() as one, Clock(lambda: True) as other:
        time.sleep(0.3)
        assert one.numbers[0] > 0
        assert (one.numbers[1], other.numbers[1]) == (0, 1)
    assert threading.active_count() <= before + 1
    at = int(one.numbers[0])
    time.sleep(0.2)
    assert one.numbers[0] == at


@pytest.fixture
def ward(tmp_path, monkeypatch):
    monkeypatch.setenv("KETASIM_CACHE_DIR", str(tmp_path / "kernels"))
    named = replace(toy.model(), name="toy of this test")
    spread = replace(named, mechanisms=tuple(replace(m) for m in named.mechanisms))
    done = bolus("10 mg", drug="drug", at="1 h")
    return Scenario(spread, done, (0.0, 1.0, 5.0), Subject("human", 70.0))


def test_a_run_takes_the_compiled_engine_where_it_is_ready(ward):
    model = ward.resolved_model
    parameters = System(model).default_parameters
    kernel_for(model, gather(ward.schedule), members=1)._made.clear()
    assert not is_ready(model, parameters)
    assert engine_for(ward) == "reference"
    slow = simulate(ward)
    assert slow.attrs["engine"] == "reference"
    kernel_for(model, gather(ward.schedule), members=1).compiled()
    assert is_ready(model, parameters)
    fast = simulate(ward)
    assert (fast.attrs["engine"], fast.attrs["method"]) == ("ensemble", "Rodas5P")
    assert simulate(ward, engine="reference").attrs["engine"] == "reference"
    assert simulate(ward, method="BDF").attrs["method"] == "BDF"
    for name in ward.recorded:
        scale = abs(slow[name]).max() or 1.0
        assert float(abs(fast[name] - slow[name]).max() / scale) < 1e-5


def test_the_disk_is_asked_once_whether_a_kernel_is_at_hand(ward, monkeypatch):
    asked = []
    monkeypatch.setattr(kernels.cache, "recalled", lambda name: asked.append(name) or "a plan")
    kernel = replace(
        kernel_for(ward.resolved_model, gather(ward.schedule), members=1),
        _made={}, _looked={}, _seen=set(), _narrow={},
    )  # fmt: skip
    assert all(kernel.is_at_hand() for _ in range(3))
    assert asked.count(kernel._name(general=False)) == 1  # a thread may ask for another
    assert kernel.narrowed(gather(ward.schedule))._seen is not kernel._seen


def test_a_law_that_cannot_be_compiled_is_run_by_scipy(ward):
    def saturating(bound, k_off):
        return k_off * np.tanh(bound)

    scene = replace(ward, model=ward.model.with_law("receptor.unbind", saturating))
    assert engine_for(scene, prepare=True) == "reference"
    assert simulate(scene).attrs["engine"] == "reference"


@pytest.mark.parametrize("size", [1, 7, 8, 1000, 12_345])
def test_a_workspace_begins_on_a_cache_line(size):
    one, other = workspace(size), workspace(size)
    assert len(one) == len(other) == size
    assert one.ctypes.data % 64 == other.ctypes.data % 64 == 0
    assert not one.any()
