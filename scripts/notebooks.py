"""Write docs/notebooks: every executed page of the documentation as a notebook, without output.

python scripts/notebooks.py
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
PAGES, NOTEBOOKS = DOCS / "tutorials", DOCS / "notebooks"
HEAD = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:)([^)]+)\)")
ONLY_ON_THE_SITE = re.compile(r"^\{download\}[^\n]*\n+", re.MULTILINE)
CHARACTERISTICS = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def main() -> None:
    """Write a notebook for each page, and take away those whose page is gone."""
    NOTEBOOKS.mkdir(exist_ok=True)
    pages = sorted(PAGES.glob("*.md"))
    for one in NOTEBOOKS.glob("*.ipynb"):
        if one.stem not in {page.stem for page in pages}:
            one.unlink()
    for page in pages:
        target = NOTEBOOKS / f"{page.stem}.ipynb"
        target.write_text(notebook(page.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"wrote {len(pages)} notebooks")


def notebook(text: str) -> str:
    """Return a page as the text of a notebook."""
    made = [
        {"id": f"cell{k}", "metadata": {}, **cell} for k, cell in enumerate(cells(text), start=1)
    ]
    whole = {"cells": made, "metadata": CHARACTERISTICS, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def cells(text: str) -> Iterator[dict[str, object]]:
    """Yield the cells of a page: what is between code cells is text."""
    parts = CELL.split(ONLY_ON_THE_SITE.sub("", HEAD.sub("", text)))
    for k, part in enumerate(parts):
        told = part.strip("\n")
        if not told:
            continue
        if k % 2:
            yield {"cell_type": "code", "execution_count": None, "outputs": [],
                   "source": told.splitlines(keepends=True)}  # fmt: skip
        else:
            yield {
                "cell_type": "markdown",
                "source": LINK.sub(_told, told).splitlines(keepends=True),
            }


def _told(found: re.Match[str]) -> str:
    """Return a link to another page as words that a reader of a lone file can follow."""
    return f"{found[1]} (docs/{found[2].removeprefix('../')})"


if __name__ == "__main__":
    main()
