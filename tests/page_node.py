"""The page's scripts under node, for tests that hold them against Python."""

import base64
import json
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from ketasim.config import load
from ketasim.page.build import SHELL, core, script
from ketasim.page.facts import facts

HOST = Path(__file__).with_name("page_host.cjs")
WITHOUT = "node is not installed: the page's scripts are not compared with Python here."


@cache
def known(config="human_depressed_iv"):
    """Return the page's facts and module for a packaged configuration."""
    return facts(load(config).scenario)


def answers(questions, config="human_depressed_iv"):
    """Return what the scripts of a page answer; skips the test where there is no node."""
    node = shutil.which("node")
    if node is None:
        pytest.skip(WITHOUT)
    table, wasm = known(config)
    shell = script(tuple(name for name in SHELL if name not in ("main", "crew")))
    asked = {
        "script": f"{core()}\n{shell}", "facts": table,
        "wasm": base64.b64encode(wasm).decode(), "questions": list(questions),
    }  # fmt: skip
    done = subprocess.run(
        [node, str(HOST)], input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)
