"""Pages made from the code: mechanisms, the command line, the Python API, tests, the explorer."""

import ast
import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import click

import ketasim as ks
from ketasim.cli.main import group
from ketasim.core.declare import Mechanism
from ketasim.core.model import Model
from ketasim.models import MODULES, whole
from ketasim.reports.contents import equations, numbers

EXPLORER = "explorer/page.html"
TESTS = Path(__file__).parents[1] / "tests"
ASKED = {
    "laws": "Is every law sound: units, bounds, rest?",
    "unit": "Does each part do its job?",
    "agreement": "Do engines, exports and the page agree?",
    "golden": "Has a number moved?",
    "science": "Does the model show what was published?",
    "cli": "What does a user see who types this?",
}
FRAME = (
    '<p><a href="../{}">Open it alone</a></p>'
    '<iframe src="../{}" title="The model on one page" loading="lazy" '
    'style="width:100%;height:75vh;border:1px solid #8884"></iframe>'
)


def write(folder: Path) -> None:
    """Write every page; those whose text has not changed keep their time."""
    for name, text in pages():
        _put(folder / name, text)
    _put(folder / "extra" / EXPLORER, ks.app("human_depressed_iv").html)


def kernel(folder: Path) -> None:
    """Write what runs the pages: this very Python, which says nothing but errors."""
    words = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": [*words, "--log-level=40"], "display_name": "Python 3", "language": "python"}
    _put(folder / "kernels" / "python3" / "kernel.json", json.dumps(spec))


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def pages() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each page."""
    model = whole()
    yield "mechanisms.md", _mechanisms(model)
    for one in model.mechanisms:
        yield f"mechanisms/{one.name}.md", _mechanism(one)
    yield "commands.md", _commands()
    yield "api.md", _api()
    yield "tested.md", _tested()
    yield "try.md", _explorer()


def _mechanisms(model: Model) -> str:
    """Return the list of mechanisms: those of the chain, then those of each module."""
    owners = {each.name: one.name for one in MODULES.values() for each in one.mechanisms}
    chain = [one.name for one in model.mechanisms if one.name not in owners]
    parts = [
        "# Mechanisms\n\nWhat is believed, the laws, and every number with its source, as they "
        "stand in the source code of a mechanism. Laws that a module wraps are shown with it; "
        "`ketasim describe MECHANISM` shows one as the chain alone has it.",
        "## From dose to mood\n\n" + _toctree(chain),
    ]
    for one in MODULES.values():
        names = [each.name for each in one.mechanisms]
        parts.append(f"## Module {one.name}\n\n{one.story.capitalize()}.\n\n{_toctree(names)}")
    return "\n\n".join(parts) + "\n"


def _toctree(names: list[str]) -> str:
    return "\n".join(
        ["```{toctree}", ":maxdepth: 1", *(f"mechanisms/{one}" for one in names), "```"]
    )


def _mechanism(one: Mechanism) -> str:
    """Return a mechanism's story, laws, states, inputs and ledger."""
    states = [[each.name, str(each.initial), each.unit, each.meaning] for each in one.states]
    inputs = [
        [
            each.name,
            f"{each.neutral:g}",
            each.unit,
            "{:g} to {:g}".format(*each.bounds),
            each.meaning,
        ]
        for each in one.knobs
    ]
    ledger = [[p.name, *numbers(p), str(p.evidence), p.meaning] for p in one.parameters]
    parts = [
        f"# {one.name}",
        one.story,
        "## Laws\n\n" + _fenced("\n".join(equations(one))),
        _section("States", ["state", "at rest", "unit", "meaning"], states),
        _section("Inputs", ["input", "neutral", "unit", "range", "meaning"], inputs),
        _section("Ledger", ["parameter", "value", "unit", "bounds", "evidence", "meaning"], ledger),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(title: str, head: list[str], rows: list[list[str]]) -> str:
    return f"## {title}\n\n{_table(head, rows)}" if rows else ""


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(one) for one in row) + " |" for row in lines)


def _cell(text: str) -> str:
    for mark in "|*_<[":
        text = text.replace(mark, f"\\{mark}")
    return text


def _fenced(text: str, kind: str = "text") -> str:
    return f"```{kind}\n{text.rstrip()}\n```\n"


def _commands() -> str:
    parts = ["# The command line", "", "`ketasim COMMAND --help` says the same."]
    for name in group.list_commands(None):
        parts += _command(group.get_command(None, name), f"ketasim {name}")
    return "\n".join(parts)


def _command(command: click.Command, name: str) -> list[str]:
    """Return a command's help, and below it that of the commands it holds."""
    with click.Context(command, info_name=name) as context:
        parts = ["", f"## {name}", "", _fenced(command.get_help(context))]
    for own, one in sorted(getattr(command, "commands", {}).items()):
        parts += _command(one, f"{name} {own}")
    return parts


def _api() -> str:
    parts = ["# The Python API", "", "Every public name, as `import ketasim as ks` has it."]
    modules = {}
    for name in ks.__all__:
        found = getattr(ks, name)
        if inspect.ismodule(found):
            modules[name] = found
        elif not name.startswith("__"):
            parts += _documented(found, name)
    for name, module in modules.items():
        about = inspect.getdoc(module) or ""
        parts += ["", f"## ks.{name}", "", about.partition("\n")[0]]
        for own in _public(module):
            parts += _documented(getattr(module, own), f"{name}.{own}", level=3)
    return "\n".join([*parts, ""])


def _public(module: ModuleType) -> list[str]:
    """Return the functions and classes that a module offers."""
    return [
        name
        for name in getattr(module, "__all__", ())
        if inspect.isfunction(getattr(module, name)) or inspect.isclass(getattr(module, name))
    ]


def _documented(found: object, name: str, level: int = 2) -> list[str]:
    kind = "class" if inspect.isclass(found) else "function"
    head = f"{'#' * level} ks.{name}"
    rule = f".. auto{kind}:: ketasim.{name}"
    return ["", head, "", "```{eval-rst}", rule, "   :noindex:", "```"]


def _tested() -> str:
    """Return what each file of tests asks, as its own first line says."""
    parts = [
        "# How it is tested\n\nTests are sorted by question, and every file begins with its own. "
        "`python -m pytest` runs them, `nox` what else is held: style, types, that no room of the "
        "source imports from above, and that everything generated is up to date. What is promised "
        "when things go wrong, with the figures of an attack, is in "
        "[reliability](../reliability.md); what the model shows and does not, in "
        "[the model card](../model-card.md)."
    ]
    for folder, question in ASKED.items():
        files = sorted((TESTS / folder).glob("test_*.py"))
        rows = [[_first_line(one), f"`{one.relative_to(TESTS.parent)}`"] for one in files]
        parts.append(f"## {question}\n\n" + _table(["asked", "by"], rows))
    return "\n\n".join(parts) + "\n"


def _first_line(path: Path) -> str:
    told = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(told.partition("\n\n")[0].split())


def _explorer() -> str:
    """Return the page that holds the explorer."""
    return (
        "# Try it here\n\nThe model itself, in your browser; nothing leaves this page. "
        "[What is on it](../explorer.md) says the rest. It is a research tool, not medical "
        f"advice.\n\n{_fenced(FRAME.format(EXPLORER, EXPLORER), '{raw} html')}"
    )


def scraped(block: tuple[object, ...], known: dict[str, Any], conf: dict[str, Any]) -> str:
    """Keep the ``figure`` of a gallery page: ours are drawn without pyplot, which others scrape."""
    from sphinx_gallery.scrapers import figure_rst

    figure = known["example_globals"].pop("figure", None)
    if block[0] != "code" or figure is None:
        return ""
    path = next(known["image_path_iterator"])
    ks.plot.save(figure, path)
    return str(figure_rst([path], conf["src_dir"]))
