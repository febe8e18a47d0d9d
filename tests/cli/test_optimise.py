"""``ketasim optimise``: what is printed and written, what is refused, and what survives a kill."""

import csv
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from ketasim.cli.main import group, main
from ketasim.config import schedule_file
from ketasim.config.schedules import load_schedule, schedule_files
from ketasim.config.schema import Config, Table
from ketasim.errors import KetasimError

SMALL = """# One infusion, as much as dissociation allows
schema = 1

[model]
with = ["safety"]

[output]
until = "6 h"

[engine]
name = "reference"

[schedule]
route = "iv"
visits = 1
amount = "0.1 to 1 mg/kg"
duration = "40 min"

[schedule.usual]
amount = "0.5 mg/kg"

[[objective]]
maximise = "plasma.venous.auc"

[[constraint]]
of = "safety.cadss.peak"
at_most = "6 points"
"""


def typed(*words):
    return CliRunner().invoke(group, [*words], catch_exceptions=False)


def small(tmp_path, text=SMALL):
    path = tmp_path / "small.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_it_tells_and_writes_the_schedule_its_goals_and_what_made_them(tmp_path):
    out = tmp_path / "out"
    done = typed("optimise", str(small(tmp_path)), "--starts", "1", "-o", str(out))
    assert done.exit_code == 0, done.output
    assert "at its limit" in done.output
    assert (out / "schedule.png").stat().st_size > 10_000
    told = json.loads((out / "optimum.json").read_text(encoding="utf-8"))
    rows = list(csv.DictReader((out / "goals.csv").read_text("utf-8").splitlines()))
    assert float(rows[1]["best"]) == pytest.approx(6.0, rel=2e-3)
    assert told["kept_to_limits"] is True
    made = json.loads((out / "provenance.json").read_text(encoding="utf-8"))
    assert made["run"]["model_digest"] == told["model_digest"]
    dose = told["schedule"][0]["dose [mg/kg]"]
    again = typed("run", str(out / "best.toml"), "-o", str(tmp_path / "run"))
    assert again.exit_code == 0, again.output
    text = (out / "best.toml").read_text("utf-8")
    assert f"{dose!r} mg/kg" in text


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('route = "iv"', 'ruote = "iv"', "unknown key"),
        ('route = "iv"', 'route = "nose"', "schedule\\[0\\]"),
        ("visits = 1", "visits = 3", "schedule\\[0\\].gap: how far apart"),
        ("0.1 to 1 mg/kg", "1 to 0.1 mg/kg", "smaller number first"),
        ("0.1 to 1 mg/kg", "0.1 to 1 mg/L", "mass concentration|concentration"),
        ("plasma.venous.auc", "plasma.venus.auc", "venous"),
        ('maximise = "plasma.venous.auc"', "", "either minimise"),
        ('at_most = "6 points"', "", "either at_most"),
        ("6 points", "6 mmHg", "points"),
        ('of = "safety.cadss.peak"', 'of = "safety.cadss.peak"\nover = "worst"', "worst tenth"),
        ('duration = "40 min"', 'duration = "9 h"', "could not be over before"),
        ('until = "6 h"', 'until = "6 h"\n[cohort]\n', "either table"),
        ('until = "6 h"', 'until = "6 h"\n[uncertainty]\nposterior = "none"', "no draws there"),
    ],
)
def test_a_mistake_gets_a_sentence_with_file_and_key(tmp_path, old, new, told):
    with pytest.raises(KetasimError, match=told) as error:
        load_schedule(small(tmp_path, SMALL.replace(old, new)))
    assert "small.toml: " in str(error.value)
    assert error.value.exit_code == 2


def test_an_unknown_name_is_refused_with_the_nearest(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["optimise", "iv_eight_week"])
    assert stopped.value.code == 2
    assert 'Did you mean "iv_eight_weeks"' in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(schedule_files()))
def test_what_is_shipped_can_be_read(name):
    question = load_schedule(name, sets=["cohort.patients=2"])
    assert question.title
    assert len(question.problem.cohort) == 2
    assert question.problem.usual is not None


@pytest.mark.parametrize("key", ["schedule", "objective"])
def test_a_file_that_asks_for_nothing_says_where_to_begin(tmp_path, key):
    text = SMALL.replace(f"[{key}]", "[other]").replace("[schedule.usual]", "[another]")
    with pytest.raises(KetasimError, match=f"no \\[{key}\\] table.*iv_eight_weeks"):
        load_schedule(small(tmp_path, text.replace(f"[[{key}]]", "[[other]]")))


def test_limits_that_nothing_keeps_end_with_3(tmp_path):
    text = SMALL.replace("6 points", "0.001 points")
    done = typed("optimise", str(small(tmp_path, text)), "--starts", "1", "-o", str(tmp_path / "o"))
    assert done.exit_code == 3
    assert "NO schedule" in done.output


@pytest.mark.slow
def test_a_killed_search_goes_on_to_the_same_numbers(tmp_path):
    path = small(tmp_path)
    words = [sys.executable, "-m", "ketasim", "optimise", str(path), "--starts", "2"]
    whole = subprocess.run([*words, "-o", str(tmp_path / "whole")], capture_output=True, check=True)
    assert whole.stdout
    process = subprocess.Popen([*words, "-o", str(tmp_path / "again")], stderr=subprocess.DEVNULL)
    rows = tmp_path / "again" / "evaluations.jsonl"
    until = time.monotonic() + 120.0
    while time.monotonic() < until and (not rows.exists() or rows.read_bytes().count(b"\n") < 6):
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "again" / "optimum.json").exists()
    half = rows.read_bytes().count(b"\n")
    subprocess.run([*words, "-o", str(tmp_path / "again")], capture_output=True, check=True)
    names = ("evaluations.jsonl", "optimum.json", "schedule.csv", "starts.csv", "goals.csv")
    for name in names:
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert rows.read_bytes().count(b"\n") > half


def test_every_key_of_a_schedule_file_is_on_its_page():
    text = (Path(__file__).parents[2] / "docs" / "schedules.md").read_text(encoding="utf-8")
    tables = [one for one in vars(schedule_file).values()
              if isinstance(one, type) and issubclass(one, Table)]  # fmt: skip
    own = {n for t in tables for n in t.model_fields} - set(Config.model_fields) - {"title"}
    assert len(own) > 25
    assert not [name for name in own if not re.search(rf"\b{name}\b", text)]
