"""The page as a widget of Jupyter or marimo; needs the extra ``app``."""

from types import new_class
from typing import Any

from ketasim.errors import ConfigError

# The page lies in a frame of its own, so that its style and the notebook's do not meet; what it is
# set to comes out as a message.
_SCRIPT = """
function render({ model, el }) {
  const frame = document.createElement("iframe");
  frame.srcdoc = model.get("html");
  frame.title = "ketasim";
  frame.style = `width:100%;height:${model.get("height")}px;border:0`;
  const heard = (event) => {
    if (event.source !== frame.contentWindow || !event.data || !event.data.ketasim) return;
    model.set("setting", event.data.ketasim);
    model.save_changes();
  };
  window.addEventListener("message", heard);
  el.append(frame);
  return () => window.removeEventListener("message", heard);
}
export default { render };
"""


def widget(html: str, *, height: int) -> Any:
    """Return a widget that shows the page; ``setting`` is what it is set to.

    Raises
    ------
    ConfigError
        When anywidget is not installed.
    """
    try:
        import anywidget
        import traitlets
    except ImportError:
        raise ConfigError(
            'a widget needs anywidget: pip install "ketasim[app]". Without it, a notebook shows '
            "ks.app(...) as it is, and .save(path) writes the page."
        ) from None

    traits = {
        "_esm": _SCRIPT,
        "html": traitlets.Unicode().tag(sync=True),
        "height": traitlets.Int().tag(sync=True),
        "setting": traitlets.Dict().tag(sync=True),
    }
    explorer: Any = new_class(
        "Explorer", (anywidget.AnyWidget,), {}, lambda own: own.update(traits)
    )
    return explorer(html=html, height=height, setting={})
