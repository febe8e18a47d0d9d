"""The page put together: text, style, scripts, facts and module in one file."""

import base64
import json
import re
import zlib
from collections.abc import Mapping
from html import escape
from importlib.resources import files

import ketasim
from ketasim.core.scenario import Scenario
from ketasim.page.facts import facts

CORE = ("engine", "schedule", "readouts", "backward", "population", "accounts")
SHELL = ("crew", "chart", "files", "words", "controls", "main")
CITATION = (
    "The ketasim contributors. ketasim: from a dose of ketamine to receptors, signals, synapses "
    "and mood, version {}."
)


def page(scenario: Scenario, *, title: str = "ketasim explorer") -> str:
    """Return the page that opens on a scenario.

    Raises
    ------
    ModelError
        When a law of its model cannot be compiled.
    """
    known, wasm = facts(scenario)
    text = json.dumps(known, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return _filled(
        read("page.html"),
        {
            "title": escape(title), "version": ketasim.__version__,
            "style": _tight(read("page.css")), "model": escape(known["model"]),
            "digest": known["digest"], "citation": escape(CITATION.format(ketasim.__version__)),
            "facts": packed(text.encode()), "wasm": packed(wasm),
            "core": core(), "script": script(SHELL),
        },
    )  # fmt: skip


def core() -> str:
    """Return the scripts that run without a page: in workers, and in tests under node."""
    return script(CORE)


def script(names: tuple[str, ...]) -> str:
    """Return scripts one after another, without the comments that lines begin with."""
    texts = (read(f"js/{name}.js") for name in names)
    return "\n".join(_tight(re.sub(r"(?m)^\s*//.*\n", "", text)) for text in texts)


def packed(content: bytes) -> str:
    """Return bytes compressed, as text."""
    return base64.b64encode(zlib.compress(content, 9)).decode()


def read(name: str) -> str:
    """Return the text of a file beside this one."""
    return (files("ketasim.page") / name).read_text(encoding="utf-8")


def _tight(text: str) -> str:
    """Return text without what stands before its lines."""
    return re.sub(r"(?m)^[ \t]+", "", text)


def _filled(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], text)
