"""What the README shows works: its Python, its configuration, its commands."""

import re
import shlex
from operator import attrgetter
from pathlib import Path

import pytest

import ketasim as ks
from ketasim.cli import main
from ketasim.config import loads

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def block(language):
    return re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)[1]


def commands():
    return re.findall(r"^\| `ketasim ([^`]*)`", README, re.MULTILINE)


def test_the_python_runs_and_the_antagonist_takes_the_effect_away(capsys, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    exec(compile(block("python"), "README.md", "exec"), {})  # noqa: S102  (our own README)
    assert float(capsys.readouterr().out) > 0.05


def test_the_configuration_is_understood():
    assert len(loads(block("toml"), source="README.md").scenario.protocol.doses) == 8


@pytest.mark.parametrize("line", commands())
def test_the_command_runs(line, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as done:
        main(shlex.split(line))
    told = (0, 1, None) if line == "check" else (0, None)  # 1: a hard check fails
    assert done.value.code in told
    assert capsys.readouterr().out.strip()


def test_the_table_names_every_command_a_newcomer_needs():
    assert {line.split()[0] for line in commands()} >= {"run", "compare", "list", "check", "doctor"}


def test_every_public_name_it_mentions_is_there():
    names = set(re.findall(r"\bks\.([a-z_]\w*(?:\.[a-z_]\w*)?)", README))
    assert len(names) > 20
    for name in names:
        assert attrgetter(name)(ks) is not None
