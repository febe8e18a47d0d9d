"""Files that are not configurations are refused by name, quickly, and in bounded memory."""

import tracemalloc

import pytest

from cli.texts import SINGLE_IV
from ketasim.config import load, loads
from ketasim.errors import ConfigError


def refusal(path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path)
    return str(caught.value)


def test_missing_file_suggests_its_neighbour(tmp_path):
    (tmp_path / "my_study.toml").write_text(SINGLE_IV)
    message = refusal(tmp_path / "my_stdy.toml")
    assert 'my_stdy.toml: no such file. Did you mean "my_study"?' in message


def test_folder_names_what_is_in_it(tmp_path):
    (tmp_path / "a.toml").write_text(SINGLE_IV)
    assert refusal(tmp_path).endswith(
        "this is a folder. Give a .toml file in it. There are: a.toml."
    )


def test_empty_file(tmp_path):
    (tmp_path / "a.toml").write_text(" \n\n")
    assert refusal(tmp_path / "a.toml") == "a.toml: the file is empty. Start with: schema = 1"


def test_too_large_a_file(tmp_path):
    (tmp_path / "a.toml").write_bytes(b"#" * 1_000_001)
    assert refusal(tmp_path / "a.toml") == "a.toml: 1.0 MB; a configuration has at most 1 MB."


def test_binary_file(tmp_path):
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe\x00s")
    assert refusal(tmp_path / "a.toml") == "a.toml: not UTF-8 text. Save it as UTF-8."


def test_byte_order_mark_and_windows_lines_are_read(tmp_path):
    text = SINGLE_IV.replace("\n", "\r\n")
    (tmp_path / "a.toml").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert load(tmp_path / "a.toml").scenario.protocol == loads(SINGLE_IV).scenario.protocol


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 5000 + "]" * 5000,
        "a = " + "[" * 30 + "]" * 30,
        "a = " + "{b=" * 2000 + "1" + "}" * 2000,
        ".".join(["a"] * 10_000) + " = 1",
        "[" + ".".join(['"a"'] * 10_000) + "]",
        "\n".join("[" + ".".join(["a"] * 21) + "]" for _ in range(10)),
    ],
    ids=["lists", "a few lists", "tables", "dotted key", "quoted header", "headers"],
)
def test_too_deep_a_file(text):
    tracemalloc.start()
    try:
        with pytest.raises(ConfigError, match="nested too deeply; at most 20 levels"):
            loads(text)
        assert tracemalloc.get_traced_memory()[1] < 100e6  # bytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "text",
    [
        "schema = " + "9" * 5000,
        "schema = 1\n[engine]\nrtol = 1" + "0" * 400,
        "schema = 1\n[output]\nuntil = 1" + "0" * 400,
        "schema = 1\nname = '" + "x" * 900_000 + "'",
        "schema = 1\n" + "a" * 900_000 + " = 1",
        "schema = 1\nbath = [" + "1, " * 300_000 + "]",
    ],
    ids=["digits", "rtol", "until", "name", "key", "list"],
)
def test_monstrous_values_are_refused_in_a_few_words(text):
    with pytest.raises(ConfigError) as caught:
        loads(text)
    assert len(str(caught.value)) < 1000


def test_more_doses_than_can_be_honoured():
    at = '{ start = "0 h", every = "1 min", times = 10000 }'
    one = f'[[dosing]]\namount = "1 mg"\nroute = "iv"\nat = {at}\n'
    with pytest.raises(ConfigError, match=r"dosing: 20,000 doses; at most 10,000\."):
        loads("schema = 1\n" + one * 2)
