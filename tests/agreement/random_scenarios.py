"""Scenarios drawn at random: who, which drug by which route, how often, under what, with what."""

import numpy as np

import ketasim as ks
from ketasim.core.protocol import Protocol
from ketasim.models import antidepressant

MODEL = antidepressant()
ROUTES = ("iv", "im", "sc", "ip", "intranasal", "oral")
SUBJECTS = {"human": (ks.human, 0.5), "rat": (ks.rat, 10.0), "mouse": (ks.mouse, 10.0)}
FIXED = ("body.weight",)
KNOBS = tuple(name for name in MODEL.knobs if not name.startswith("stress."))


def scenario(seed):
    """Return scenario number ``seed``; the same one every time."""
    rng = np.random.default_rng([2026, seed])
    species = str(rng.choice(list(SUBJECTS)))
    make, usual = SUBJECTS[species]
    days = int(rng.integers(2, 15))
    protocol = _doses(rng, usual, days) + _holds(rng, days) + _stress(rng)
    return ks.Scenario(
        MODEL.with_values(_values(rng)), protocol, ks.hours(0.0, 24.0 * days, every=0.5),
        subject=make(), name=f"random {seed}",
    )  # fmt: skip


def _doses(rng, usual, days):
    """Return one course: a dose, perhaps infused, perhaps repeated, perhaps with a bath."""
    drug = str(rng.choice([one.name for one in MODEL.substances]))
    amount = f"{usual * 2.0 ** rng.uniform(-3, 1)!r} mg/kg"
    over = "0 h" if rng.random() < 0.4 else f"{2.0 ** rng.uniform(-8, 2)!r} h"
    one = ks.dose(amount, route=str(rng.choice(ROUTES)), drug=drug, over=over)
    begin = float(rng.choice([-1.0, 0.0, 0.25, 3.1]))
    count = int(rng.integers(1, 7))
    gap = 24.0 * days / (count + 1)
    course = ks.repeat(one, times=count, every=f"{gap!r} h", start=f"{begin} h")
    if rng.random() < 0.2:
        concentration = f"{10.0 ** rng.uniform(-1, 1)!r} uM"
        course = course + ks.bath(concentration, drug=drug, start="1 h", until="2.5 h")
    return course


def _holds(rng, days):
    """Return up to three targets held over windows, half of them over the first dose."""
    held = Protocol()
    for knob in rng.choice(KNOBS, size=int(rng.integers(0, 4)), replace=False):
        one = MODEL.knobs[str(knob)]
        if str(knob).rpartition(".")[2].startswith("bath"):
            continue  # a bath may already hold it
        high = min(one.bounds[1], max(2.0 * one.neutral, 1.0))
        value = rng.uniform(one.bounds[0], high)
        start = rng.uniform(-2.0, 12.0 * days)
        stop = start + rng.uniform(0.1, 10.0 * days)
        held = held + ks.hold(
            str(knob), f"{value!r} {one.unit}", start=f"{start!r} h", until=f"{stop!r} h"
        )
    return held


def _stress(rng):
    """Return stress that has always held, or a spell of it, or none."""
    kind = rng.integers(3)
    if kind == 0:
        return ks.hold("stress.stressor", rng.uniform(0.2, 1.0), start="always")
    if kind == 1:
        return ks.hold("stress.stressor", rng.uniform(0.2, 1.5), start="-7 d", until="6 h")
    return Protocol()


def _values(rng):
    """Return twenty parameters moved anywhere within their bounds."""
    names = [n for n, p in MODEL.parameters.items() if p.bounds[0] < p.bounds[1]]
    names = [name for name in names if name not in FIXED]
    chosen = rng.choice(names, size=20, replace=False)
    drawn = ((str(n), MODEL.parameters[str(n)]) for n in chosen)
    return {n: f"{rng.uniform(*p.bounds)!r} {p.unit}" for n, p in drawn}
