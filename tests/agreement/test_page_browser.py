"""The page in a real browser, opened from disk with the network off."""

import importlib.util

import pytest
from page import browser_path, opened

import ketasim as ks
from ketasim.config import loads

WITHOUT = "no Chromium with playwright is installed: the page is not opened in a browser here."
pytestmark = pytest.mark.skipif(
    browser_path() is None or importlib.util.find_spec("playwright") is None, reason=WITHOUT
)
RESTED = "ketasim.last.rested === ketasim.last.course"
DOSE = 'input[type=number][aria-label^="dose"]'


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    from playwright.sync_api import sync_playwright

    path = tmp_path_factory.mktemp("page") / "page.html"
    ks.app("human_depressed_iv", path)
    with sync_playwright() as playwright:
        found = opened(playwright, path, viewport={"width": 1200, "height": 900})
        yield found
        found.context.browser.close()


def _value(tab, text):
    return tab.evaluate(text)


def test_it_opens_without_a_fault_and_draws_every_panel(tab):
    assert tab.faults == []
    assert tab.locator("#panels figure").count() == 12
    assert "0.5 mg/kg racemic ketamine iv over 40 min" in tab.inner_text("#status")


def test_a_slider_moves_the_curves_and_the_frozen_one_stays(tab):
    before = _value(tab, "ketasim.last.course.of['outcome.score'].at(-1)")
    tab.click("#freeze")
    tab.fill(DOSE, "1")
    tab.wait_for_function("ketasim.state.setting.doses[0].amount === 1 && !ketasim.last.error")
    tab.wait_for_function("document.getElementById('legend').innerText.includes('0.5 → 1')")
    after = _value(tab, "ketasim.last.course.of['outcome.score'].at(-1)")
    assert abs(after - before) > 0.01
    assert _value(tab, "ketasim.state.frozen[0].of['outcome.score'].at(-1)") == before
    tab.click("#thaw")


def test_while_a_slider_moves_curves_are_bent_and_at_rest_they_are_whole(tab):
    tab.wait_for_function(RESTED)
    whole = _value(tab, "ketasim.last.course.times.length")
    found = tab.evaluate("""() => {
      const svg = document.querySelector("#panels svg[tabindex] g:nth-of-type(2)");
      const path = svg.children[0], before = path.getAttribute("d");
      ketasim.state.setting.doses[0].amount = 0.6;
      ketasim.update(1e-6);
      return [svg.children[0] === path, path.getAttribute("d") !== before,
              ketasim.last.course.times.length];
    }""")
    assert found[:2] == [True, True]
    assert found[2] < whole / 2
    tab.wait_for_function(RESTED)
    assert _value(tab, "ketasim.last.course.times.length") > 2 * found[2]


def test_what_it_downloads_runs(tab):
    setting = loads(_value(tab, "ketasim.file.toml()")).scenario
    assert setting.protocol.doses[0].amount == 0.6
    picture = _value(tab, "ketasim.file.svg()")
    assert picture.startswith("<svg")
    assert "var(--" not in picture
    head, *rows = _value(tab, "ketasim.file.csv()").splitlines()
    assert head.startswith("curve,time [h]")
    assert len(rows) > 100


def test_ranking_bands_and_accounts_answer(tab):
    for name in ("ranking", "population", "accounts"):
        tab.evaluate(f"document.getElementById('{name}').open = true")
    tab.wait_for_function("ketasim.last.ranked && ketasim.last.ranked.length > 50")
    tab.select_option("#band-many", "200")
    tab.wait_for_function("ketasim.state.band !== null")
    assert tab.locator("path.band").count() > 10
    tab.select_option("#band-many", "0")
    tab.locator("#account-list input").nth(2).check()
    tab.wait_for_function("document.getElementById('legend').innerText.includes('gain')")
    assert tab.faults == []


def test_a_mistake_is_told_and_the_last_curves_stay(tab):
    tab.evaluate("ketasim.state.setting.until = -5; ketasim.update()")
    assert "look longer" in tab.inner_text("#status")
    tab.evaluate("ketasim.turnTo(ketasim.facts.start)")
    tab.wait_for_function("!ketasim.last.error")


def test_it_can_be_used_from_the_keyboard_and_on_a_phone(tab):
    tab.wait_for_function(RESTED)
    tab.locator("#panels svg[tabindex]").first.focus()
    tab.keyboard.press("ArrowRight")
    assert "h; " in tab.inner_text("#status") or "h\n" in tab.inner_text("#status")
    unnamed = _value(
        tab,
        "[...document.querySelectorAll('input,select')].filter((one) => !one.labels?.length && "
        "!one.getAttribute('aria-label') && !one.ariaLabel).length",
    )
    assert unnamed == 0
    tab.set_viewport_size({"width": 390, "height": 800})
    assert _value(tab, "document.documentElement.scrollWidth") <= 390
