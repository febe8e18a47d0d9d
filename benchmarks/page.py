"""How long the page keeps its reader waiting, in headless Chromium with the network off.

    python benchmarks/page.py [PAGE.html] [--pictures FOLDER]

Needs playwright and a Chromium (Debian: ``apt install chromium``). Without a page, that of
``human_depressed_iv`` is built. Times are the browser's own, in ms.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
DRAG = """async () => {
  const slider = document.querySelector('input[type=range][aria-label^="dose"]'), out = [];
  for (let i = 0; i < 150; i++) {
    slider.value = 0.3 + 0.5 * i / 150;
    const began = performance.now();
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    ketasim.update(1e-6);
    document.getElementById("panels").getBoundingClientRect();
    out.push([performance.now() - began, ketasim.last.run, ketasim.last.draw]);
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
  }
  return out;
}"""
OPEN = "(id) => { document.getElementById(id).open = true; }"


def browser_path() -> str | None:
    """Return where a Chromium is, or None."""
    return next((one for one in CHROMIUM if Path(one).exists()), None)


def opened(playwright: Any, page: Path, **how: Any) -> Any:
    """Return the page opened from disk with the network off, once its first curve is drawn."""
    browser = playwright.chromium.launch(executable_path=browser_path(), args=["--no-sandbox"])
    tab = browser.new_context(offline=True, **how).new_page()
    tab.faults = []
    tab.on("pageerror", lambda one: tab.faults.append(str(one)))
    tab.on("console", lambda one: tab.faults.append(one.text) if one.type == "error" else None)
    tab.goto(page.resolve().as_uri())
    tab.wait_for_function("window.ketasim && ketasim.last.load !== undefined")
    return tab


def measured(tab: Any) -> dict[str, float]:
    """Return every time, by what was waited for."""
    found = {"from opening the file to the first curve": tab.evaluate("ketasim.last.ready")}
    rows = tab.evaluate(DRAG)
    for k, name in enumerate(("slider to drawn", "of it the run", "of it the drawing")):
        times = sorted(row[k] for row in rows)
        found[f"{name}, undisturbed (5th percentile)"] = times[int(0.05 * len(times))]
        found[f"{name}, median"] = times[len(times) // 2]
        found[f"{name}, 95th percentile"] = times[int(0.95 * len(times))]
    _back(tab)
    tab.evaluate(OPEN, "ranking")
    times = sorted(
        tab.evaluate("() => { ketasim.rank(); return ketasim.last.rank; }") for _ in range(30)
    )
    found["ranking of all parameters, undisturbed (least)"] = times[0]
    found["ranking of all parameters, median"] = times[len(times) // 2]
    tab.evaluate("() => { document.getElementById('ranking').open = false; }")
    tab.evaluate(OPEN, "population")
    for many in ("200", "1000"):
        times = sorted(_band(tab, many, seed) for seed in range(5))
        found[f"{many} virtual subjects, least of 5"] = times[0]
        found[f"{many} virtual subjects, median"] = times[2]
    return found


def _back(tab: Any) -> None:
    """Go back to what the page opened on."""
    tab.evaluate("() => { ketasim.turnTo(ketasim.facts.start); scrollTo(0, 0); }")
    tab.wait_for_timeout(200)


def pictured(tab: Any, path: Path) -> None:
    """Take a picture of a dose frozen beside another, with virtual subjects."""
    _back(tab)
    tab.click("#freeze")
    tab.fill('input[type=number][aria-label^="dose"]', "1")
    tab.evaluate("() => { delete ketasim.last.band; }")
    tab.select_option("#band-many", "200")
    tab.wait_for_function("ketasim.last.band !== undefined && !ketasim.last.error")
    tab.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
    tab.wait_for_timeout(300)
    tab.screenshot(path=path)


def _band(tab: Any, many: str, seed: int) -> float:
    tab.evaluate("() => { delete ketasim.last.band; }")
    tab.fill("#band-seed", str(seed))
    tab.select_option("#band-many", "0")
    tab.wait_for_timeout(100)
    tab.select_option("#band-many", many)
    tab.wait_for_function("ketasim.last.band !== undefined")
    return float(tab.evaluate("ketasim.last.band"))


def main() -> None:
    """Print the times as JSON, and keep pictures where asked."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", nargs="?", type=Path)
    parser.add_argument("--pictures", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = asked.page
        if page is None:
            import ketasim as ks

            page = Path(folder, "page.html")
            ks.app("human_depressed_iv", page)
        tab = opened(playwright, page, viewport={"width": 1400, "height": 1000})
        load = os.getloadavg()[0]
        found = {"load": load, "bytes": page.stat().st_size, **measured(tab)}
        if asked.pictures is not None:
            pictured(tab, asked.pictures / "explorer.png")
        print(json.dumps(found, indent=1), *tab.faults, sep="\n")


if __name__ == "__main__":
    main()
