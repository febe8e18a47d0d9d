"""Whatever a file holds, it is read, or refused with a ConfigError, and quickly."""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ketasim.config import dump, load, loads, packaged
from ketasim.errors import ConfigError

QUICK = 2.0  # seconds; generous, for a shared machine
LONG_RUNS = pytest.mark.slow

numbers = st.one_of(
    st.floats().map(repr),
    st.integers(-(10**30), 10**30).map(str),
    st.sampled_from(["0", "-0.0", "5e-324", "1e308", "1e999", "-1", "nan", "inf", "0x10", "1_000"]),
)
units = st.sampled_from(
    ["", "h", "d", "min", "mg/kg", "mg", "uM", "1/h", "kg", "g", "%", "1", "mg/L", "parsec", "1/0"]
)
plain = st.one_of(
    st.builds("{} {}".format, numbers, units),
    st.sampled_from(["always", "iv", "ip", "ketamine", "rat", "LSODA", "spines", "stress", "oral"]),
    st.text(max_size=20),
)


def toml_text(value: str) -> str:
    escaped = "".join(
        f"\\U{ord(c):08x}" if c in '"\\' or ord(c) < 32 or ord(c) == 127 else c for c in value
    )
    return f'"{escaped}"'.encode("utf-8", "replace").decode()


scalars = st.one_of(
    plain.map(toml_text),
    numbers.filter(lambda n: "0x" not in n),
    st.sampled_from(["true", "1979-05-27"]),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda xs: f"[{', '.join(xs)}]"),
        st.lists(st.tuples(st.sampled_from(["start", "every", "times", "x"]), inner), max_size=3,
                 unique_by=lambda pair: pair[0])
        .map(lambda xs: "{" + ", ".join(f"{k} = {v}" for k, v in xs) + "}"),
    ),
    max_leaves=6,
)  # fmt: skip
KEYS = {
    "[model]": ("name", "parameters", "'parameters'.'nmda.k_s'", "'parameters'.'body.weight'"),
    "[subject]": ("species", "weight"),
    "[[dosing]]": ("drug", "amount", "route", "duration", "at", "s_fraction"),
    "[[intervention]]": ("target", "level", "block", "from", "until"),
    "[[bath]]": ("drug", "concentration", "from", "until"),
    "[output]": ("from", "until", "every", "times", "observables"),
    "[engine]": ("name", "method", "rtol"),
}


@st.composite
def tables(draw):
    header = draw(st.sampled_from(sorted(KEYS)))
    keys = draw(st.lists(st.sampled_from(KEYS[header]), unique=True, max_size=4))
    return "\n".join([header, *(f"{key} = {draw(values)}" for key in keys)])


built = st.lists(tables(), max_size=4).map(lambda parts: "\n".join(["schema = 1", *parts, ""]))
originals = [packaged.find(name).read_bytes() for name in sorted(packaged.configs())]


@st.composite
def mutated(draw):
    data = bytearray(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        kind = draw(st.sampled_from(["flip", "cut", "copy", "insert"]))
        if kind == "flip" and data:
            data[at] = draw(st.integers(0, 255))
        elif kind == "cut":
            del data[at : at + draw(st.integers(1, 40))]
        elif kind == "copy":
            data[at:at] = data[at : at + draw(st.integers(1, 200))]
        else:
            data[at:at] = draw(
                st.sampled_from([b"nan", b"-", b"9" * 30, b"[", b'"', b"e99", b"\x00", b"."])
            )
    return bytes(data)


def survives(read) -> None:
    began = time.perf_counter()
    setup, message = None, "-"
    try:
        setup = read()
    except ConfigError as error:
        message = str(error)
    assert 0 < len(message) < 3000
    assert setup is None or loads(dump(setup)).scenario.times == setup.scenario.times
    assert time.perf_counter() - began < QUICK


@settings(max_examples=300)
@given(built)
@example('schema = 1\n[[intervention]]\ntarget = "stress"\nlevel = 1\nfrom = "-1e308 d"\n')
@example('schema = 1\n[output]\nfrom = "-1e308 d"\nuntil = "1e308 d"\n')
@example('schema = 1\n[output]\nuntil = "5e-324 h"\nevery = "5e-324 h"\n')
@example('schema = 1\n[output]\nuntil = "7 d"\nevery = "5e-324 h"\n')
@example('schema = 1\n[[bath]]\nconcentration = "1e308 M"\n')
@example('schema = 1\n[model.parameters]\n"nmda.k_s" = "1e308 M"\n')
@example('schema = 1\n[model.parameters]\n"nmda.k_s" = 1e-320\n')
def test_built_files(text):
    survives(lambda: loads(text))


@settings(max_examples=300)
@given(mutated())
def test_damaged_files(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "damaged.toml"
    path.write_bytes(data)
    survives(lambda: load(path))


@LONG_RUNS
@settings(max_examples=10_000)
@given(built)
def test_many_built_files(text):
    survives(lambda: loads(text))


@LONG_RUNS
@settings(max_examples=10_000)
@given(mutated())
def test_many_damaged_files(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "damaged.toml"
    path.write_bytes(data)
    survives(lambda: load(path))
