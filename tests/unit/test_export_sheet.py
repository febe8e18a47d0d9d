"""Are the sheets what the laws and ledgers say, and is what is printed real mathematics?"""

import re
from itertools import count
from pathlib import Path
from xml.etree import ElementTree

import pytest
from matplotlib.mathtext import MathTextParser

import toy
from ketasim.cli import main
from ketasim.compile.trace import Graph
from ketasim.errors import ConfigError
from ketasim.export import sheet
from ketasim.export.diagram import arcs, svg
from ketasim.export.expression import expression, formula, symbol
from ketasim.models import antidepressant

DOCS = Path(__file__).parents[2] / "docs" / "sheets"
MODEL = antidepressant()
TEXT = sheet(MODEL, picture="antidepressant.svg")
FORMULAS = re.findall(r"```math\n(.*?)\n```", TEXT, re.DOTALL)


def written(law, *names):
    """Return a law over given symbols."""
    return formula(expression(law).result, names)


def test_the_sheets_in_the_repository_are_up_to_date():
    again = "ketasim describe --all -o docs/sheets/antidepressant.md"
    assert (DOCS / "antidepressant.md").read_text("utf-8") == TEXT, again
    assert (DOCS / "antidepressant.svg").read_text("utf-8") == svg(MODEL), again


def test_every_equation_of_the_model_is_there():
    algebra = len(MODEL.derived) + len(MODEL.quantities)
    assert len(FORMULAS) == algebra + len(MODEL.states) + 2
    assert sum(r"}{dt} =" in one for one in FORMULAS) == len(MODEL.states)
    for one in MODEL.mechanisms:
        assert f"\n## {one.name}\n" in TEXT


def test_every_parameter_has_its_row_with_evidence_and_source():
    for full, one in MODEL.parameters.items():
        rows = [line for line in TEXT.splitlines() if f"| `{full.partition('.')[2]}` |" in line]
        assert any(str(one.evidence) in row for row in rows), full
    for key in {key for one in MODEL.parameters.values() for key in one.evidence.keys}:
        assert f"\n| {key} | " in TEXT


@pytest.mark.parametrize("text", FORMULAS, ids=count())
def test_a_formula_can_be_typeset(text):
    MathTextParser("path").parse(f"${text}$")


def test_a_formula_that_cannot_be_typeset_would_be_seen():
    with pytest.raises(ValueError, match=r"ParseException|Expected"):
        MathTextParser("path").parse(r"$\frac{1}$")


@pytest.mark.parametrize(
    ("law", "wanted"),
    [
        (lambda a, b: a - (b - 1), r"a - \left(b - 1\right)"),
        (lambda a, b: a - b - 1, "a - b - 1"),
        (lambda a, b: (a + b) * a, r"\left(a + b\right) \, a"),
        (lambda a, b: a / (b * 2), r"\frac{a}{b \, 2}"),
        (lambda a, b: -(a + b), r"-\left(a + b\right)"),
        (lambda a, b: a * -b, r"a \, \left(-b\right)"),
        (lambda a, b: a + 0 * b, "a"),
        (lambda a, b: abs(a), r"\left|a\right|"),
    ],
)
def test_brackets_stand_where_they_are_needed(law, wanted):
    assert written(law, "a", "b") == wanted


def test_functions_are_written_as_published():
    from ketasim.core.maths import exp, hill, power

    assert written(lambda a, b: exp(a / b), "a", "b") == r"e^{\frac{a}{b}}"
    assert written(lambda a, b: power(a, b), "a", "b") == r"\left[a\right]_{+}^{b}"
    assert written(lambda a, b, c: hill(a, b, c), *"abc") == r"\mathcal{H}\left(a;\,b,\,c\right)"


def test_a_choice_is_written_as_cases():
    graph = Graph()
    a, b = (graph.leaf("argument", i) for i in range(2))
    assert formula(graph.where(a, b, a, b), "ab").startswith(r"\begin{cases} a & a \ge b")


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("k", "k"), ("k_on", r"k_{\mathrm{on}}"), ("gain", r"\mathrm{gain}"),
     ("cl_norketamine_70", r"\mathrm{cl}_{\mathrm{norketamine,\,70}}")],
)  # fmt: skip
def test_names_become_symbols(name, wanted):
    assert symbol(name) == wanted


def test_latex_is_one_whole_document():
    text = sheet(MODEL, format="latex")
    assert text.startswith(r"\documentclass")
    assert text.endswith("\\end{document}\n")
    for name in ("align*", "longtable", "tikzpicture", "document"):
        assert text.count(rf"\begin{{{name}}}") == text.count(rf"\end{{{name}}}") > 0
    depth = re.sub(r"\\[{}]", "", text)
    assert depth.count("{") == depth.count("}")
    plain = re.sub(r"\$[^$]*\$|\\begin\{align\*\}.*?\\end\{align\*\}", "", text, flags=re.DOTALL)
    assert not re.search(r"(?<!\\)[_^#%]", plain[plain.index("\\begin{document}") :])


def test_a_toy_has_a_sheet_without_references():
    text = sheet(toy.model())
    assert "## receptor" in text
    assert "References" not in text
    assert "![" not in text


def test_an_unknown_format_is_refused():
    with pytest.raises(ConfigError, match=r"latx\": not known\. Did you mean \"latex\""):
        sheet(MODEL, format="latx")


def test_the_drawing_has_every_mechanism_and_every_coupling():
    root = ElementTree.fromstring(svg(MODEL))
    space = "{http://www.w3.org/2000/svg}"
    labels = [one.text for one in root.iter(f"{space}text")]
    assert labels == [one.name for one in MODEL.mechanisms]
    found = arcs(MODEL)
    assert len(root.findall(f"{space}path")) == len(found)
    names = [one.name for one in MODEL.mechanisms]
    loops = {(names[one.source], names[one.reader]) for one in found if one.feedback}
    assert ("ampa", "circuit") in loops
    assert len(found) == len(set(found))


def call(capfd, *words):
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    said = capfd.readouterr()
    return ended.value.code or 0, said.out, said.err


def test_describe_prints_or_writes_the_sheet(capfd, tmp_path):
    status, out, _ = call(capfd, "describe", "--all", "--format", "latex")
    assert status == 0
    assert out == sheet(MODEL, format="latex")
    path = tmp_path / "model.md"
    status, out, _ = call(capfd, "describe", "--all", "-o", path)
    assert (status, out) == (0, f"{path}\n{tmp_path / 'model.svg'}\n")
    assert "](model.svg)" in path.read_text("utf-8")


def test_describe_without_a_name_says_what_there_is(capfd, tmp_path):
    status, _, err = call(capfd, "describe")
    assert status == 2
    assert err.startswith(
        "describe: name a mechanism, or --all. Mechanisms here: body, disposition,"
    )
    (tmp_path / "file").touch()
    status, _, err = call(capfd, "describe", "--all", "-o", tmp_path / "file" / "model.md")
    assert status == 2
    assert "cannot be written" in err
