"""The pages of the documentation: are they all there, do they lead somewhere, do they run?"""

import json
import re
from pathlib import Path

import links
import notebooks
import pytest
import ten_minutes

import ketasim as ks

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted((DOCS / "tutorials").glob("*.md"))
TEXTS = [*sorted(DOCS.rglob("*.md")), DOCS.parent / "README.md", DOCS.parent / "CONTRIBUTING.md"]
TEXTS = [one for one in TEXTS if "_build" not in one.parts and "_generated" not in one.parts]


def test_there_are_twelve_pages_and_each_is_listed():
    listed = re.findall(r"^tutorials/(\w+)$", (DOCS / "pages.md").read_text(), re.MULTILINE)
    assert sorted(listed) == [one.stem for one in PAGES]
    assert len(listed) == 12


@pytest.mark.parametrize("page", PAGES, ids=lambda one: one.stem)
def test_a_page_is_a_notebook_too(page):
    text = page.read_text(encoding="utf-8")
    kept = (DOCS / "notebooks" / f"{page.stem}.ipynb").read_text(encoding="utf-8")
    assert kept == notebooks.notebook(text)
    cells = json.loads(kept)["cells"]
    code = ["".join(one["source"]) for one in cells if one["cell_type"] == "code"]
    assert len(code) == text.count("```{code-cell}") >= 1
    assert not any("{download}" in "".join(one["source"]) for one in cells)
    for one in code:
        compile(one, page.stem, "exec")


@pytest.mark.parametrize("page", TEXTS, ids=lambda one: one.name)
def test_links_between_files_lead_somewhere(page):
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s#]+)(?:#[^)]*)?\)", text):
        if "://" not in target and "_generated" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), target


def test_a_link_that_leads_nowhere_is_found(tmp_path, monkeypatch, capsys):
    (tmp_path / "a.html").write_text('<a href="b.html#there">x</a><a href="https://x.org">y</a>')
    (tmp_path / "b.html").write_text('<h1 id="there">z</h1><a href="a.html">x</a>')
    monkeypatch.setattr("sys.argv", ["links.py", str(tmp_path)])

    def exit_code():
        with pytest.raises(SystemExit) as done:
            links.main()
        return done.value.code

    assert exit_code() == 0
    (tmp_path / "b.html").write_text('<h1 id="gone">z</h1><img src="none.png">')
    assert exit_code() == 1
    told = capsys.readouterr().out
    assert "b.html#there: no such heading in b.html" in told
    assert "none.png: no such file" in told


def test_the_gallery_has_every_kind_of_picture():
    lines = "".join(one.read_text() for one in (DOCS / "gallery").glob("plot_*.py"))
    by_property = {"tornado": "found.figure", "heat_map": ".heat_map", "gradient": ").figure",
                   "pathway": ".figure", "profiles": '["profiles"]', "waterfall": '["starts"]',
                   "compare": "timecourse(both", "judgement_pages": "plot.judgement"}  # fmt: skip
    for name in ks.plot.__all__:
        assert name in ("save", "width") or by_property.get(name, f"ks.plot.{name}(") in lines, name


def test_ten_minutes_has_its_steps():
    found = dict(ten_minutes.steps())
    assert [one[:2] for one in found] == ["1.", "2.", "3.", "4.", "5.", "6."]
    assert "ketasim demo" in found["2. See one infusion"]


@pytest.mark.slow
def test_ten_minutes_can_be_gone_through(tmp_path):
    for title, typed in ten_minutes.steps():
        if not title.startswith("1."):
            assert ten_minutes.tried(typed, tmp_path, quick=True) < 300.0
    for name in ("demo/figure.png", "human_depressed_iv.html", "two.png", "doses.png"):
        assert (tmp_path / "out" / name).is_file()
    assert (tmp_path / "mine.png").is_file()
