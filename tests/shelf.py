"""A small sweep of the toy model into a store, and the bytes that make it what it is."""

import toy
from ketasim.core.protocol import dose
from ketasim.core.scenario import Scenario, Subject, hours
from ketasim.studies import designs
from ketasim.studies.sweep import sweep

WARD = Scenario(
    toy.model(),
    dose("1 mg/kg", route="iv", drug="drug", over="30 min"),
    hours(0, 6, every=1.0),
    Subject("human", 70.0),
)
SIZE, CHUNK = 20, 4


def run(path, *, size=SIZE, seed=5, **options):
    """Sweep into a store, one thread, on the reference engine."""
    settings = {
        "engine": "reference",
        "threads": 1,
        "chunk": CHUNK,
        "summaries": ["body.plasma.peak"],
        "record": ["receptor.bound"],
    }
    design = designs.sobol(WARD.model, size, seed=seed)
    return sweep(WARD, design, store=path, **{**settings, **options})


def bytes_of(path):
    """Return every file that belongs to a result, by its place in the store."""
    return {
        one.relative_to(path).as_posix(): one.read_bytes()
        for one in sorted(path.rglob("*"))
        if one.is_file() and not {"claims", "quarantine"} & set(one.relative_to(path).parts)
    }
