"""The page: one file with nothing outside it, within its size, saying what it is."""

import re
import sys

import pytest

import ketasim as ks
from ketasim.errors import ConfigError
from ketasim.page.build import read
from ketasim.plots.style import COLOURS
from ketasim.verbs.app import App

LARGEST = 200_000  # bytes


@pytest.fixture(scope="module")
def made():
    return ks.app("human_depressed_iv")


def test_it_is_small_and_needs_nothing_from_outside(made):
    assert len(made.html.encode()) < LARGEST
    assert "{{" not in made.html
    outside = re.findall(r"""(?:src|href)\s*=\s*["'](?!#|data:)([^"']*)""", made.html)
    assert outside == []
    assert not re.search(r"\bfetch\(|XMLHttpRequest|importScripts|@import|url\(", made.html)


def test_it_says_what_it_is(made):
    assert "A research tool, not medical advice." in made.html
    assert ks.models.antidepressant().digest in made.html
    assert f"version {ks.__version__}" in made.html


def test_it_is_the_same_page_every_time(made):
    assert ks.app("human_depressed_iv").html == made.html


def test_its_colours_are_those_of_the_figures():
    light = dict(re.findall(r"--(\w+):(#\w+)", read("page.css").partition("}")[0]))
    assert {name: light[name] for name in COLOURS if name != "black"} == {
        name: value for name, value in COLOURS.items() if name != "black"
    }


def test_it_is_written_and_shown(made, tmp_path):
    path = made.save(tmp_path / "deep" / "page.html")
    assert path.read_text(encoding="utf-8") == made.html
    assert made._repr_html_().startswith("<iframe srcdoc=")
    assert "kB" in repr(made)


def test_a_place_that_cannot_be_written_is_named(made, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        made.save(tmp_path / "file" / "page.html")


def test_a_widget_without_anywidget_says_what_to_install(made, monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(ConfigError, match=r"ketasim\[app\]"):
        App(made.setup, "").widget()


def test_every_label_of_the_form_has_a_name():
    text = read("page.html")
    for control in re.findall(r"<(?:select|input)\b[^>]*>", text):
        place = text.index(control)
        assert text.rfind("<label", 0, place) > text.rfind("</label>", 0, place), control


def test_a_widget_holds_the_page_and_says_what_it_is_set_to(made):
    pytest.importorskip("anywidget", reason='the extra "app" is not installed')
    found = made.widget(height=500)
    assert found.html == made.html
    assert found.height == 500
    assert found.setting == {}
