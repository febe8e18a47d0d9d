"""Pages made from the code: mechanisms, the command line, the Python API, and the explorer."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

import ketasim as ks
from ketasim.cli.main import group
from ketasim.models import antidepressant

EXPLORER = "explorer/page.html"


def write(folder: Path) -> None:
    """Write every page; those whose text has not changed keep their time."""
    for name, text in pages():
        _put(folder / name, text)
    _put(folder / "extra" / EXPLORER, ks.app("human_depressed_iv").html)


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def pages() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each page."""
    names = [one.name for one in antidepressant().mechanisms]
    yield (
        "mechanisms.md",
        _index(
            "Mechanisms",
            "Every mechanism: what is believed, its laws, its ledger.",
            [f"mechanisms/{name}" for name in names],
        ),
    )
    for name in names:
        yield f"mechanisms/{name}.md", f"# {name}\n\n{_fenced(str(ks.describe(name)))}"
    yield "commands.md", _commands()
    yield "api.md", _api()


def _index(title: str, about: str, entries: list[str]) -> str:
    return "\n".join([f"# {title}", "", about, "", "```{toctree}", *entries, "```", ""])


def _fenced(text: str, kind: str = "text") -> str:
    return f"```{kind}\n{text.rstrip()}\n```\n"


def _commands() -> str:
    parts = ["# The command line", "", "`ketasim COMMAND --help` says the same."]
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        with click.Context(command, info_name=f"ketasim {name}") as context:
            parts += ["", f"## ketasim {name}", "", _fenced(command.get_help(context))]
    return "\n".join(parts)


def _api() -> str:
    parts = ["# The Python API", "", "Every public name, as `import ketasim as ks` has it."]
    for name in ks.__all__:
        found = getattr(ks, name)
        if inspect.ismodule(found) or name.startswith("__"):
            continue
        kind = "class" if inspect.isclass(found) else "function"
        parts += [
            "",
            f"## ks.{name}",
            "",
            "```{eval-rst}",
            f".. auto{kind}:: ketasim.{name}",
            "   :noindex:",
            "```",
        ]
    return "\n".join([*parts, ""])


def scraped(block: tuple[object, ...], known: dict[str, Any], conf: dict[str, Any]) -> str:
    """Keep the ``figure`` of a gallery page: ours are drawn without pyplot, which others scrape."""
    from sphinx_gallery.scrapers import figure_rst

    figure = known["example_globals"].pop("figure", None)
    if block[0] != "code" or figure is None:
        return ""
    path = next(known["image_path_iterator"])
    ks.plot.save(figure, path)
    return str(figure_rst([path], conf["src_dir"]))
