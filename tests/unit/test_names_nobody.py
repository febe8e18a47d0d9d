"""Does any file of the library, outside mechanisms and models, know a mechanism by name?"""

import ast
import re
from pathlib import Path

import pytest

from ketasim.models import antidepressant

SOURCE = Path(__file__).parents[2] / "src" / "ketasim"
FILES = [
    path
    for path in sorted(SOURCE.rglob("*.py"))
    if path.relative_to(SOURCE).parts[0] not in ("mechanisms", "models")
]
NAMES = sorted(one.name for one in antidepressant().mechanisms)
FULL = re.compile(rf"\b({'|'.join(NAMES)})\.(?!toml\b)")

# Words that a mechanism shares with something else: an element of XHTML, and the role of a
# parameter that is a trait of the subject's body.
WORDS = {
    ("export/notes.py", "body"),
    ("core/declare.py", "body"),
    ("studies/designs/choice.py", "body"),
}


def told_only(tree):
    """Return the literals that people read and no code does: docstrings, help, what is raised."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            first = node.body[0] if node.body else None
            read = [first] if isinstance(first, ast.Expr) else []
        elif isinstance(node, ast.Raise):
            read = [node]
        elif isinstance(node, ast.keyword) and node.arg in ("help", "short_help"):
            read = [node.value]
        else:
            continue
        found |= {id(leaf) for one in read for leaf in ast.walk(one)}
    return found


def named(text):
    """Return the literals of a source text that name a mechanism, with their lines."""
    tree = ast.parse(text)
    skipped = told_only(tree)
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in skipped
        and (node.value in NAMES or FULL.search(node.value))
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda one: one.relative_to(SOURCE).as_posix())
def test_a_file_names_no_mechanism(path):
    own = path.relative_to(SOURCE).as_posix()
    found = named(path.read_text(encoding="utf-8"))
    assert [one for one in found if (own, one[1]) not in WORDS] == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ('X = "spines.density"', 1),
        ('X = name.startswith("pk_s.")', 1),
        ('X = mechanism == "plasma"', 1),
        ('X = f"{a} body.weight"', 1),
        ('X = "Spines"', 0),
        ('"""As spines.density."""', 0),
        ('def f():\n    """As spines.density."""\n    return "spines.density"', 1),
        ('f(help="As nmda.k_s.")', 0),
        ('raise ValueError("write spines.density")', 0),
    ],
)
def test_a_name_would_be_found(text, count):
    assert len(named(text)) == count
