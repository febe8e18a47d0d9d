"""The documentation site: pages, executed tutorials, a gallery, and references made from the code.

One command builds it: ``nox -s docs``.
"""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from pygments.lexers.special import TextLexer  # noqa: E402
from reference import kernel, scraped, write  # noqa: E402
from sphinx.highlighting import lexers  # noqa: E402

import ketasim  # noqa: E402

project = "ketasim"
author = "The ketasim contributors"
project_copyright = author
version = release = ketasim.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = [
    "_build",
    "gallery",
    "notebooks",
    "examples",
    "calibration.json",
    "_generated/extra",
    "_generated/gallery/*.ipynb",
    "_generated/gallery/*.json",
    "_generated/gallery/*.py",
]
suppress_warnings = ["config.cache", "myst.header"]

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
myst_fence_as_directive = ["math"]
lexers["csv"] = TextLexer()  # of which Pygments knows nothing
kernel(HERE / "_generated" / "jupyter")
os.environ["JUPYTER_PATH"] = str(HERE / "_generated" / "jupyter")
nb_execution_mode = "cache"
nb_execution_in_temp = True  # pages write stores and files, which no later run shall find
nb_execution_timeout = 300
nb_execution_raise_on_error = True

sphinx_gallery_conf = {
    "examples_dirs": ["gallery"],
    "gallery_dirs": ["_generated/gallery"],
    "filename_pattern": r"plot_",
    "image_scrapers": (scraped,),
    "download_all_examples": False,
    "min_reported_time": 60,
    "write_computation_times": False,
    "within_subsection_order": "FileNameSortKey",
}

autodoc_typehints = "none"
autosummary_generate = True
napoleon_google_docstring = False

html_theme = "pydata_sphinx_theme"
html_title = "ketasim"
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "header_links_before_dropdown": 6,
}
html_extra_path = ["_generated/extra"]


def setup(app: object) -> None:  # noqa: ARG001
    """Write what is made from the code before anything is read."""
    write(HERE / "_generated")
