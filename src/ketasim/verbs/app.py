"""The model on a page of its own: one file that runs it in a browser, with the network off."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ketasim.errors import ConfigError
from ketasim.verbs.run import Question, Tell, setup_of, warned

if TYPE_CHECKING:
    from ketasim.config import Setup

FIRST = "human_depressed_iv"
HIGH = 900  # of the page in a notebook [px]


@dataclass(frozen=True, repr=False)
class App:
    """A page: sliders over one model, which it holds and runs itself.

    Parameters
    ----------
    setup
        What the page opens on.
    html
        The whole page as text.
    """

    setup: "Setup"
    html: str

    def __repr__(self) -> str:
        """Return what it is and how large."""
        return f"page of {self.setup.scenario.name}, {len(self.html.encode()) / 1000:.0f} kB"

    def _repr_html_(self) -> str:
        """Return the page in a frame, for a notebook."""
        frame = f'<iframe srcdoc="{escape(self.html)}" style="width:100%;height:{HIGH}px;border:0">'
        return f"{frame}</iframe>"

    def save(self, out: str | Path) -> Path:
        """Write the page; return its path.

        Raises
        ------
        ConfigError
            When the file cannot be written.
        """
        path = Path(out)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.html, encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"{path}: cannot be written ({error.strerror}).") from None
        return path

    def widget(self, *, height: int = HIGH) -> Any:
        """Return the page as a widget for Jupyter or marimo, whose ``setting`` can be read.

        Raises
        ------
        ConfigError
            When anywidget is not installed.
        """
        from ketasim.page.widget import widget

        return widget(self.html, height=height)


def app(
    what: Question = FIRST,
    out: str | Path | None = None,
    *,
    sets: Iterable[str] = (),
    modules: Iterable[str] = (),
    tell: Tell = warned,
) -> App:
    """Return a page that opens on a scenario and runs its model in any browser.

    The page is one file. It needs no server and no network: the kernel's own programs are in it as
    WebAssembly, and agree with :func:`ketasim.simulate` to 1e-6 of each course's largest value.

    Parameters
    ----------
    what
        A configuration's name, a TOML file, a Setup or a Scenario.
    out
        Where to write the page, if anywhere.
    sets
        Changes to a file or named configuration, such as ``"dosing[0].amount=1 mg/kg"``.
    modules
        Modules beside those it asks for: ``["safety"]``; ``ks.list_modules()`` shows all.
    tell
        Hears each caution; a KetasimWarning by default.

    Returns
    -------
    App
        ``.html``, ``.save(path)`` and ``.widget()``; a notebook shows the page itself.

    Raises
    ------
    ConfigError
        When a question cannot be understood, or the file cannot be written.
    ModelError
        When a law of the model cannot be compiled.

    Examples
    --------
    >>> ks.app("human_depressed_iv", "page.html")
    """
    from ketasim.page.build import page

    setup = setup_of(what, sets=sets, modules=modules)
    for caution in setup.cautions:
        tell(caution)
    made = App(setup, page(setup.scenario, title=f"ketasim: {setup.scenario.name}"))
    if out is not None:
        made.save(out)
    return made
