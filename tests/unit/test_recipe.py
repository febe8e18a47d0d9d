"""A design is data: it travels to another process, and its description makes it again."""

import json
import pickle

import numpy as np
import pytest

from ketasim.errors import ConfigError
from ketasim.models import antidepressant
from ketasim.studies import designs

MODEL = antidepressant()
NAMES = ("nmda.k_s", "nmda.k_r", "pk_s.clearance_70", "spines.k_retire")


def large():
    """Return a hypercube as a large one is drawn."""
    small = designs.latin_hypercube(MODEL, 1500, vary=NAMES, seed=7)
    return designs.from_description({**small.description, "kind": "large_hypercube"})


GRID = {"nmda.k_s": "logspace(0.1, 1, 3) uM", "dosing[0].amount": ["0.5 mg/kg", "1 mg/kg"]}
TABLE = {"nmda.k_s [uM]": [0.1, 0.2, np.nan]}
KINDS = {
    "grid": lambda: designs.grid(GRID),
    "table": lambda: designs.table(TABLE),
    "random": lambda: designs.random(MODEL, 1500, vary=NAMES, seed=7),
    "sobol": lambda: designs.sobol(MODEL, 1500, vary=NAMES, seed=7),
    "latin_hypercube": lambda: designs.latin_hypercube(MODEL, 1500, vary=NAMES, seed=7),
    "large_hypercube": lambda: large(),
    "saltelli": lambda: designs.saltelli(MODEL, 150, vary=[*NAMES, "subject"], seed=7),
    "walks": lambda: designs.walks(MODEL, 150, vary=NAMES, groups="mechanisms", seed=7),
    "morris": lambda: designs.morris(MODEL, 150, vary=[*NAMES, "subject"], seed=7, levels=6),
    "people": lambda: designs.people(MODEL, 1500, seed=7),
}
BEFORE = {
    "random": (
        "b7fb95cb7a7d97e2",
        "0x1.df2c8780c72e3p-2 0x1.5b876444aee93p+0 0x1.d7dcfae294201p+5 0x1.f795260a07160p-8",
    ),
    "sobol": (
        "499d694361453b35",
        "0x1.d740283bd8c3cp-3 0x1.dd53cc4b038dcp+0 0x1.c25da33e0cc5bp+5 0x1.a9796849116d0p-8",
    ),
    "large_hypercube": (
        "c34cb6b787944c28",
        "0x1.a7c0a266d0a05p-2 0x1.a82859c797bd9p+0 0x1.17d0d61a394ddp+6 0x1.e610b92afcd9bp-8",
    ),
    "latin_hypercube": (
        "3b66a7233fd31221",
        "0x1.1b5f19a01c1e9p-2 0x1.57b9781414c8ep+0 0x1.345a60a79e44fp+6 0x1.83f9a0f0e6b11p-8",
    ),
}


def whole(design):
    return design.rows(0, len(design))


@pytest.mark.parametrize("kind", KINDS)
def test_a_design_travels_to_another_process(kind):
    design = KINDS[kind]()
    begun = design.rows(0, 2)  # blocks in memory stay behind
    travelled = pickle.loads(pickle.dumps(design))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(whole(travelled), whole(design))
    np.testing.assert_array_equal(travelled.rows(0, 2), begun)
    assert travelled == design
    assert travelled.digest == design.digest


def test_blocks_in_memory_do_not_travel():
    design = KINDS["latin_hypercube"]()
    before = len(pickle.dumps(design))
    design.rows(0, 1)
    assert len(pickle.dumps(design)) == before < 3000


@pytest.mark.parametrize("kind", [one for one in KINDS if one != "table"])
def test_a_description_makes_the_same_design(kind):
    design = KINDS[kind]()
    again = designs.from_description(json.loads(json.dumps(dict(design.description))))
    np.testing.assert_array_equal(whole(again), whole(design))
    assert again == design
    assert again.limits == design.limits
    assert again.reach == design.reach


def test_a_table_is_not_in_its_description():
    with pytest.raises(ConfigError, match="read the table"):
        designs.from_description(KINDS["table"]().description)


@pytest.mark.parametrize("kind", BEFORE)
def test_members_of_named_designs_keep_their_bits(kind):
    digest, row = BEFORE[kind]
    design = KINDS[kind]()
    assert [value.hex() for value in design.rows(1022, 1023)[0].tolist()] == row.split()
    assert design.digest == digest


def test_grids_and_tables_keep_their_digests():
    assert designs.grid(GRID).digest == "8dcfd363f6235672"
    assert designs.table({"nmda.k_s [uM]": [0.1, 0.2]}).digest == "cd2b3bd2c1fe933c"


def test_reach_says_between_which_ends_members_lie():
    assert KINDS["grid"]().reach == ((0.1, 1.0), (0.5, 1.0))
    assert KINDS["table"]().reach == ((0.1, 0.2),)
    assert designs.table({"nmda.k_s [uM]": [np.nan]}).reach == (None,)
    wide = {"nmda.k_s": designs.lognormal("0.3 uM", gsd=1.2)}
    low, high = designs.random(MODEL, 8, vary=wide).reach[0]
    assert (low, high) == pytest.approx((0.3 / 1.2**3.0902, 0.3 * 1.2**3.0902), rel=1e-4)
