"""``ketasim judge``, ``experiments`` and ``explain`` as a user types them, mistakes included."""

import csv
import hashlib
import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

from ketasim.cli import main
from ketasim.config.finding_file import FindingFile, FindingTable
from ketasim.config.findings import load_findings, load_folder
from ketasim.config.hypotheses import load_hypothesis
from ketasim.config.packaged import folder
from ketasim.errors import ConfigError, ModelError

QUICK = ("--draws", "16", "--quick")
OWN = """\
schema = 1
title = "A finding of our own"
species = "mouse"
preparation = "our laboratory"
rows = ["own"]
references = ["Own2026"]
grade = "A"
contested = false

[arms.ketamine]
dosing = [{ drug = "ketamine", amount = "10 mg/kg", route = "ip" }]

[arms.nbqx]
dosing = [{ drug = "ketamine", amount = "10 mg/kg", route = "ip" }]
intervention = [{ target = "ampa.antagonist", level = 1.0, from = "-30 min", until = "4 h" }]

[finding]
value = "effect(nbqx, outcome.mood.at(24 h))"
of = "effect(ketamine, outcome.mood.at(24 h))"
left = 0.1
error = 0.2
"""
ACCOUNT = """\
schema = 1
name = "mine"
story = "An account of our own."
strength = "drivers.disinhibition"

[parameters]
"spines.k_mature" = "0.25 1/h"
"""


@pytest.fixture
def type_in(capsys, monkeypatch, tmp_path):
    """Return a function that types a line in an empty folder: exit code, output, messages."""
    monkeypatch.chdir(tmp_path)

    def typed(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            main(words)
        said = capsys.readouterr()
        return int(caught.value.code or 0), said.out, said.err

    return typed


@pytest.fixture
def own(tmp_path):
    """A folder with one experiment of one's own."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "ours.toml").write_text(OWN)
    return tmp_path / "own"


def test_judge_prints_and_writes(type_in, own, tmp_path):
    (tmp_path / "mine.toml").write_text(ACCOUNT)
    code, out, err = type_in("judge", "disinhibition", "lhb", "mine.toml", "--experiments", "own",
                             "-o", "out", *QUICK)  # fmt: skip
    assert code == 0, err
    for said in ("effective draws", "more particles are needed", "No result yet.", "mine"):
        assert said in out
    assert "ln evidence" not in out  # sixteen draws are no result
    files = {one.name for one in (tmp_path / "out").iterdir()}
    assert files == {"judgement.png", "judgement-2.png", "evidence.png", "predictions.png",
                     "judgement.csv", "judgement.json", "finished"}  # fmt: skip
    told = json.loads((tmp_path / "out" / "judgement.json").read_text("utf-8"))
    assert {one["account"] for one in told["ranking"]} == {"disinhibition", "lhb", "mine"}
    with (tmp_path / "out" / "judgement.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * (len(load_findings()) + 1)
    mine = next(row for row in rows if row["experiment"] == "ours" and row["account"] == "mine")
    assert float(mine["predicted"]) == pytest.approx(0.0, abs=0.2)
    assert mine["verdict"] == "agrees"


def test_the_same_command_writes_the_same_bytes(type_in, own, tmp_path):
    sums = []
    for out in ("a", "b"):
        line = ("judge", "resting", "lhb", "--experiments", "own", "--only", "-o", out, *QUICK)
        code, _, err = type_in(*line, "--format", "svg")
        assert code == 0, err
        sums.append([hashlib.sha256(one.read_bytes()).hexdigest()
                     for one in sorted((tmp_path / out).iterdir()) if one.is_file()])  # fmt: skip
    assert sums[0] == sums[1]
    assert len(sums[0]) >= 8


def test_what_would_decide_is_ranked_and_goes_on_from_what_was_sampled(type_in, own, tmp_path):
    enough = ("--only", "--experiments", "own", "-o", "out", "--quick", "--draws", "256")
    code, out, err = type_in("judge", "lhb", "resting", *enough)
    assert code == 0, err
    assert "log units behind" in out
    assert "experiments that could be made these would tell most between" in out
    with (tmp_path / "out" / "designs.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    bits = [float(row["bits"]) for row in rows]
    assert all(a > b - 1e-8 for a, b in pairwise(bits))
    assert {row["drug"] for row in rows} >= {"ketamine 10 mg/kg ip", "ketamine 3.33 mg/kg ip"}
    told = json.loads((tmp_path / "out" / "judgement.json").read_text("utf-8"))
    assert told["designs"]["designs"] == len(rows)
    assert told["how_sure"]
    code, again, err = type_in("judge", "lhb", "resting", "--decide", *enough)
    assert code == 0, err
    assert "resting: remembered" in err
    assert "guide: power" not in err  # nothing was sampled anew
    assert again.startswith(f"Of {len(rows):,} experiments")
    assert "ln evidence" not in again
    assert (tmp_path / "out" / "designs.png").exists()
    assert (tmp_path / "out" / "judgement.nc").exists()


def test_json_is_all_that_is_printed(type_in, own):
    enough = ("--quick", "--draws", "256")  # fewer are worth less than 30, and are no result
    code, out, _ = type_in("judge", "lhb", "--experiments", "own", "--only", "--json", *enough)
    told = json.loads(out)
    assert code == 0
    assert told["about"]["findings"] == 1
    assert told["verdict"] == "Only lhb was judged; nothing is compared."


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("restng",), '"restng": no such hypothesis. Did you mean "resting"?'),
        (("--reference", "mose"), 'reference "mose": no such effect. Did you mean "mouse"?'),
        (("--draws", "0"), "draws = 0: a whole number from 1 to 100,000 is needed."),
        (
            ("--reach", "2"),
            "prior width = 2.0: must lie between 0 (the ledger) and 1 (its bounds).",
        ),
        (("--experiments", "nowhere"), "nowhere: no experiment files (*.toml) here."),
        (("resting", "resting"), 'two hypotheses are named "resting"; rename one.'),
    ],
)
def test_a_mistake_is_one_sentence(type_in, words, message):
    code, _, err = type_in("judge", *words, *(QUICK if "--draws" not in words else ()))
    assert code == 2
    assert message in err
    assert "Traceback" not in err


def test_experiments_are_listed_shown_and_checked(type_in, own):
    code, out, _ = type_in("experiments", "list", "own")
    assert code == 0
    assert "ours" in out
    assert f"{len(load_findings()) + 1} findings, 0 proposals" in out
    code, out, _ = type_in("experiments", "list", str(folder() / "checks"))
    assert f"{len(load_findings())} findings, 0 proposals, 27 for the scorecard only; " in out
    code, out, _ = type_in("experiments", "show", "trial_masked")
    assert code == 0
    for said in ("Lii2023", "contested", "20% chance", "[finding]"):
        assert said in out
    code, out, _ = type_in("experiments", "check", "own")
    assert (code, out.strip()) == (0, "1 experiments are sound.")


def test_every_faulty_file_is_named(type_in, own):
    (own / "second.toml").write_text(OWN.replace("grade", "grad"))
    (own / "third.toml").write_text(OWN.replace("at(24 h)", "at(24)"))
    code, _, err = type_in("experiments", "check", "own")
    assert code == 2
    assert 'second.toml: grad: unknown key. Did you mean "grade"?' in err
    assert "third.toml: " in err
    assert "1 experiments are sound, 2 not." in err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("error = 0.2", "", "give error (of a number, or of what is left) or least"),
        ("error = 0.2", "error = 0.2\nleast = 0.1", "not both"),
        ("error = 0.2", "error = -1", "error = -1: must be greater than 0."),
        ("error = 0.2", "error = nan", "a finite number is needed"),
        ("left = 0.1", "left = 0.1\nobserved = 3.0", "not both"),
        ("left = 0.1", 'direction = "up"', "a direction needs least"),
        ("effect(nbqx, outcome", "effect(nbxq, outcome", 'no arm "nbxq". Did you mean "nbqx"?'),
        ("outcome.mood", "outcome.mod", 'Did you mean "outcome.mood"?'),
        ("at(24 h)", "at(24 kg)", '"kg" is a body weight; a time'),
        ('grade = "A"', 'grade = "D"', 'grade = "D": not known.'),
        ('species = "mouse"', 'species = "mice"', "mice"),
        ("ampa.antagonist", "ampa.antagonst", 'Did you mean "ampa.antagonist"?'),
        ("10 mg/kg", "10 mg/L", "mg/L"),
    ],
)
def test_a_bad_experiment_says_what_where_and_what_to_type(own, old, new, message):
    (own / "ours.toml").write_text(OWN.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        load_folder(own)
    assert message in str(caught.value)
    assert "ours.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("drivers.disinhibition", "drivers.disinhibtion", 'Did you mean "drivers.disinhibition"'),
        ("drivers.disinhibition", "nmda.k_s", "cannot be calibrated between 0 and 1"),
        ("0.25 1/h", "0.25", "a unit is needed"),
        ('story = "An', 'stroy = "An', 'Did you mean "story"?'),
        ("[parameters]", "[mixture]\nresting = 1\n[parameters]", "give one of strength"),
        ('strength = "drivers.disinhibition"', "[shares]\n'drivers.lhb' = -1", "must be >= 0"),
    ],
)
def test_a_bad_hypothesis_says_what_where_and_what_to_type(tmp_path, old, new, message):
    path = tmp_path / "mine.toml"
    path.write_text(ACCOUNT.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        load_hypothesis(str(path))
    assert message in str(caught.value)
    assert "mine.toml" in str(caught.value)


@pytest.mark.parametrize("name", ["disinhibition_and_resting", "poor_entry", "trkb"])
def test_packaged_hypotheses_are_found_by_name(name):
    assert load_hypothesis(name).gains


def test_packaged_files_say_what_python_says():
    from ketasim.models import antidepressant
    from ketasim.models.rivals import RIVALS

    for one in RIVALS:
        path = folder() / "hypotheses" / f"{one.name}.toml"
        read = load_hypothesis(str(path))
        assert read.gains == one.gains
        assert read.model(antidepressant(), 0.3).digest == one.model(antidepressant(), 0.3).digest


def test_a_proposal_is_no_finding(own, type_in):
    (own / "ours.toml").write_text(OWN.replace("left = 0.1\n", ""))
    code, _, err = type_in("judge", "lhb", "--experiments", "own", "--only", *QUICK)
    assert code == 2
    assert "no findings to judge by: none of the experiments states an observation." in err


def test_a_curve_counts_as_its_points_and_an_interval_judges_nothing(type_in, own):
    curve = OWN[: OWN.index("[finding]")] + (
        '[finding]\nvalue = "effect(ketamine, outcome.mood.at(t))"\n'
        'times = ["2 h", "24 h"]\nvalues = [0.1, 0.1]\nerrors = [0.1, 0.1]\n'
    )
    check = OWN[: OWN.index("[finding]")] + (
        '[finding]\nvalue = "ketamine.outcome.mood.peak"\nat_least = 0\n'
    )
    (own / "curve.toml").write_text(curve)
    (own / "interval.toml").write_text(check)
    code, out, err = type_in("judge", "lhb", "--findings", "own", "--only", "--prior-width", "0.1",
                             "--json", *QUICK)  # fmt: skip
    assert code == 0, err
    told = json.loads(out)
    assert told["about"]["reach"] == 0.1
    assert [one["experiment"] for one in told["findings"]] == [
        "curve at 2 h", "curve at 24 h", "ours",
    ]  # fmt: skip
    said = " ".join(told["remarks"])
    assert "each point of a curve, counts as a finding: curve (2)." in said
    assert "an acceptance interval and no error: interval." in said


def test_a_name_taken_is_refused(own):
    (own / "ours.toml").rename(own / "trial_masked.toml")
    with pytest.raises(ConfigError, match='already an experiment "trial_masked"; rename'):
        load_findings([own])


def test_explain_prints_and_writes(type_in, tmp_path):
    code, out, err = type_in("explain", "mouse_ip_after_stress", "--effect", "spines.density@24h",
                             "-o", "why", "--node", "translation.mtorc1")  # fmt: skip
    assert code == 0, err
    assert "translation.mtorc1" in out
    assert "translation -> spines" in out
    files = {one.name for one in (tmp_path / "why").iterdir()}
    assert files == {"pathway.png", "shares.csv", "shares.json"}
    told = json.loads((tmp_path / "why" / "shares.json").read_text())
    assert told["with_drug"] > told["without_drug"]
    shares = {(one["source"], one["into"]): one["share"] for one in told["arrows"]}
    assert shares["translation", "spines"] == pytest.approx(1.0, abs=0.01)


def test_explain_refuses_in_one_sentence(type_in):
    code, _, err = type_in("explain", "mouse_ip_after_stress", "--effect", "spines.densty@24h")
    assert code == 2
    assert 'Did you mean "spines.density"?' in err


def test_an_unknown_parameter_in_python_is_refused():
    import ketasim as ks
    from ketasim.models.rivals import Hypothesis

    wrong = Hypothesis("wrong", "", {"spines.k_matre": "0.1 1/h"}, "drivers.lhb")
    with pytest.raises(ModelError, match=r'Did you mean "spines\.k_mature"'):
        ks.judge([wrong], candidates=[], draws=16)


DOCUMENT = (Path(__file__).parents[2] / "docs" / "judging.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)


def test_the_examples_of_the_documentation_load(tmp_path):
    account, experiment, curve = EXAMPLES
    (tmp_path / "account.toml").write_text(account)
    (tmp_path / "experiment.toml").write_text(experiment)
    (tmp_path / "curve.toml").write_text(curve)
    assert load_hypothesis(str(tmp_path / "account.toml")) == load_hypothesis("poor_entry")
    assert load_folder(tmp_path / "experiment.toml")[0].done
    assert len(load_folder(tmp_path / "curve.toml")[0].parts()) == 4


def test_every_key_of_an_experiment_is_documented():
    keys = [field.alias or name for table in (FindingFile, FindingTable)
            for name, field in table.model_fields.items() if name != "note"]  # fmt: skip
    assert [key for key in keys if not re.search(rf"\b{key}\b", DOCUMENT)] == []


@pytest.mark.parametrize("line", re.findall(r"^ketasim (judge|explain)(.*)", DOCUMENT, re.M))
def test_the_commands_of_the_documentation_exist(type_in, line):
    words = [word for word in line[1].partition("#")[0].split() if word.startswith("-")]
    _, out, _ = type_in(line[0], "--help")
    assert all(re.search(rf"{re.escape(word)}\b", out) for word in words)
