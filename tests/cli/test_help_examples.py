"""Every example in a help text, a message or the documentation is one that works."""

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ketasim import models
from ketasim.cli.main import group
from ketasim.config import load
from ketasim.readouts import KINDS, parse
from ketasim.studies.designs.choice import chosen
from ketasim.studies.sweep.budget import amount
from ketasim.verbs.fit import wishes

ROOT = Path(__file__).parents[2]
CONFIG = "human_depressed_iv"
MODEL = models.whole()  # a name of a module is one too
NAMES = {
    *MODEL.parameters, *MODEL.knobs, *MODEL.states, *(str(one.name) for one in MODEL.quantities),
    *(str(one.name) for one in MODEL.derived),
}  # fmt: skip
LAWS = {one.label for one in (*MODEL.derived, *MODEL.quantities, *MODEL.flows)}
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SOURCES = sorted((ROOT / "src" / "ketasim").rglob("*.py"))
# An option's example as a page or a message writes it: --set "nmda.k_s=0.4 uM", --effect a.b@1h
WRITTEN = re.compile(r"--(set|vary|summary|sample|effect)[ =](?:\"([^\"\n]+)\"|([\w.:@]+))")
QUOTED = re.compile(r'"([^"\n]+)"')


def commands(command, path=()):
    """Yield every command with the words that lead to it."""
    if isinstance(command, click.Group):
        for name in command.list_commands(None):
            yield from commands(command.get_command(None, name), (*path, name))
    yield " ".join(path), command


def options():
    """Yield the option's name and its help, for every option of every command, and its own."""
    for path, command in commands(group):
        yield path, "help", command.help or ""
        for one in command.params:
            if isinstance(one, click.Option) and one.help:
                yield path, max(one.opts, key=len).removeprefix("--"), one.help


def in_help():
    """Yield option and example for what a help text shows."""
    plain = {
        "sample": r"\w+:\d+",
        "effect": r"[\w.]+@\w+",
        "of": r"e\.g\. (\w+)",
        "shard": None,
    }
    for path, option, text in options():
        found = QUOTED.findall(text)
        if plain.get(option):
            found += re.findall(plain[option], text)
        for example in found:
            yield pytest.param(option, example, id=f"{path} --{option} {example}")


def on_pages():
    for page in (*PAGES, *SOURCES):
        text = page.read_text(encoding="utf-8").replace('\\"', '"')
        for option, quoted, bare in WRITTEN.findall(text):
            example = (quoted or bare).rstrip(".")
            if "{" in example or (page in SOURCES and not quoted):
                continue  # put together at run time, or a word of a sentence
            yield pytest.param(option, example, id=f"{page.name} --{option} {example}")


def typed(*words):
    """Type a line that must end well, and return what it said."""
    done = CliRunner().invoke(group, list(words), standalone_mode=False)
    assert done.exception is None, f"{' '.join(words)}: {done.exception!r}"
    return done.output


SWEEP = ("sweep", CONFIG, "--engine", "reference", "--threads", "1", "--plan",
         "--set", "output.until=1 d")  # fmt: skip
GROUPS = ("sensitivity", *SWEEP[1:], "--method", "shapley")
VARY = ("--vary", "dosing[0].amount = 1, 2 mg/kg")


def holds(option, example):  # noqa: C901  (one way for each kind of example)
    """Do what an example says, as briefly as can be; fails when it cannot be done."""
    if option == "set":
        assert load(CONFIG, sets=[example]).cautions == ()
    elif option == "group":
        assert "runs" in typed(*GROUPS, "--group", example)
    elif option == "vary" and "uniform(" in example:
        assert "runs" in typed(*SWEEP, "--sample", "random:2", "--vary", example)
    elif option == "vary":
        assert "runs" in typed(*SWEEP, "--vary", example)
    elif option == "summary":
        assert "runs" in typed(*SWEEP, *VARY, "--summary", example)
    elif option == "sample":
        assert "runs" in typed(*SWEEP, "--vary", "nmda.k_s", "--sample", example)
    elif option == "effect":
        assert parse(example, MODEL).lookups
    elif option == "of":
        assert example in typed("list", "parameters", "--of", example)
    elif option == "panels":
        heads = {one.name for one in MODEL.mechanisms}
        assert all(MODEL.full_name(one) in NAMES or one in heads for one in example.split(","))
    elif option == "free":
        assert chosen(MODEL, wishes(example))
    elif option == "memory":
        assert amount(example) > 0.0
    elif example.startswith("ketasim "):
        assert shlex.split(example)[1] in group.list_commands(None)
    else:
        pytest.fail(f"nobody knows how to try --{option} {example}")


@pytest.mark.parametrize(("option", "example"), [*in_help()])
def test_an_example_in_a_help_text_works(option, example):
    holds(option, example)


@pytest.mark.parametrize(("option", "example"), [*on_pages()])
def test_an_example_on_a_page_or_in_a_message_works(option, example):
    holds(option, example)


def test_examples_are_found():
    shown = {one.values[0] for one in in_help()}
    assert shown >= {"set", "vary", "summary", "sample", "effect", "of"}
    assert {one.values[0] for one in on_pages()} >= {"set", "vary", "summary"}


@pytest.mark.parametrize("page", [*PAGES, *SOURCES], ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_name_in_quotes_is_one_of_the_model(page):
    mechanisms = "|".join(one.name for one in MODEL.mechanisms)
    text = page.read_text(encoding="utf-8")
    found = re.findall(rf"[\"`]((?:{mechanisms})\.[a-z]\w*)", text)
    reduced = {f"{short}.{one}" for short in MODEL.short_names for one in KINDS}
    assert sorted({name for name in found if name not in NAMES | LAWS | reduced}) == []


def shown():
    """Yield the lines that help texts give as examples, those of a command together."""
    for path, command in commands(group):
        text = command.help or ""
        if "Examples:" in text:
            lines = text.partition("Examples:")[2].splitlines()
            told = [one.strip() for one in lines if one.strip().startswith("ketasim ")]
            yield pytest.param(told, id=path)


@pytest.mark.parametrize("lines", [*shown()])
def test_examples_of_a_help_text_name_what_is_there(lines):
    for line in lines:
        words = shlex.split(line)[1:]
        command = group.get_command(None, words[0])
        assert command is not None, line
        known = {option for one in command.params for option in one.opts}
        assert {word for word in words if word.startswith("-")} <= known, line


@pytest.mark.slow
@pytest.mark.parametrize("lines", [*shown()])
def test_examples_of_a_help_text_run(lines, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for line in lines:
        done = CliRunner().invoke(group, shlex.split(line)[1:])
        assert done.exit_code == 0, (line, done.output, done.exception)
