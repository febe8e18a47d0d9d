"""Can a user ask for modules, see what there is, and hear what is wrong?"""

import json

import pytest
from click.testing import CliRunner

import ketasim as ks
from ketasim.cli.main import group, main
from ketasim.models import MODULES

SHORT = ("--set", "output.until=2 h", "--set", "output.every=30 min")


def typed(*words):
    found = CliRunner().invoke(group, list(words), catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.output


def refused(capsys, *words):
    with pytest.raises(SystemExit) as stopped:
        main(list(words))
    assert stopped.value.code == 2
    return capsys.readouterr().err.strip()


def test_a_run_with_modules_says_so_in_its_folder(tmp_path):
    out = tmp_path / "out"
    shown = typed("run", "human_depressed_iv", "--with", "serotonin,safety", *SHORT, "-o", str(out))
    assert "safety.cadss" in shown
    assert 'with = ["safety", "serotonin"]' in (out / "scenario.toml").read_text()
    assert "antidepressant+safety+serotonin" in (out / "provenance.json").read_text()
    again = ks.config.load(out / "scenario.toml").scenario.model
    assert again.digest == ks.models.antidepressant("safety", "serotonin").digest


def test_what_a_file_asks_for_is_left_out_on_request():
    assert ks.config.load("human_safety").scenario.model.name == "antidepressant+safety"
    off = ks.config.load("human_safety", sets=["model.with=[]"]).scenario.model
    assert off is ks.models.antidepressant()
    both = ks.config.load("human_safety", modules=["serotonin"]).scenario.model
    assert both.name == "antidepressant+safety+serotonin"


QUICK = """schema = 1
[[dosing]]
amount = "AMOUNT mg/kg"
route = "iv"
[output]
times = ["0 h", "30 min", "1 h"]
"""


def test_a_comparison_and_a_sweep_take_modules(tmp_path):
    files = [str(tmp_path / name) for name in ("low.toml", "high.toml")]
    for name, amount in zip(files, ("0.2", "0.5"), strict=True):
        (tmp_path / name).write_text(QUICK.replace("AMOUNT", amount))
    shown = typed("compare", *files, "--with", "safety", "-o", str(tmp_path / "two"))
    assert "safety.sbp_rise" in shown
    vary = ("--vary", "safety.c50 = 0.4, 0.6 uM", "--summary", "safety.cadss.peak")
    how = ("--engine", "reference", "-o", str(tmp_path / "s.zarr"))
    assert "2 " in typed("sweep", files[1], "--with", "safety", *vary, *how)


@pytest.mark.parametrize(
    "words",
    [
        ("run", "human_depressed_iv", "--with", "safty"),
        ("app", "--with", "safty"),
        ("explain", "human_depressed_iv", "--effect", "mood@1h", "--with", "safty"),
        ("gradient", "human_depressed_iv", "--readout", "mood@1h", "--with", "safty"),
        ("sensitivity", "human_depressed_iv", "--with", "safty"),
        ("list", "states", "--with", "safty"),
        ("check", "--module", "safty"),
        ("export", "sbml", "human_healthy_iv", "--with", "safety,safty"),
    ],
)
def test_an_unknown_module_is_one_sentence(capsys, words):
    told = refused(capsys, *words)
    assert '"safty": no such module. Did you mean "safety"? Modules here: safety,' in told
    assert told.count("\n") == 0


def test_modules_are_listed_and_described():
    shown = typed("list", "modules")
    assert all(name in shown for name in MODULES)
    assert "outcome.strength" in shown
    assert "c50_slow" in typed("describe", "safety")
    assert "safety.cadss" in typed("list", "states", "--with", "safety", "--of", "safety")
    assert "safety.cadss" in typed("list", "states", "--with", "all")
    assert "safety.cadss" not in typed("list", "states")
    assert "raphe" in typed("describe", "--all", "--with", "serotonin")


def test_a_check_of_a_module_that_has_no_such_number_is_refused(capsys):
    assert "only 99: no such check. Checks here: 1 to 12." in refused(
        capsys, "check", "--module", "safety", "--only", "99"
    )


@pytest.mark.slow
def test_checks_of_modules_are_printed_with_why_one_fails():
    shown = typed("check", "--module", "safety", "--only", "11")
    assert "FAIL" in shown
    assert "why: The model's plasma is lower" in shown
    table = json.loads(typed("check", "--module", "safety", "--only", "2", "--json"))
    assert table["safety"]["model"] == "antidepressant+safety"
    assert table["safety"]["passed"] == 1


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("run", "human_depressed_iv", "--set", "safety.c50=0.4 uM"), "safety.c50"),
        (("run", "human_depressed_iv", "--set", 'output.observables=["safety.cadss"]'),
         "safety.cadss"),
        (("sweep", "human_healthy_iv", "--vary", "safety.c50 = 0.4, 0.6 uM"), "safety.c50"),
        (("sweep", "human_healthy_iv", "--vary", "nmda.k_s = 0.4, 0.6 uM", "--summary",
          "safety.cadss.peak", "--plan"), "safety.cadss"),
        (("list", "states", "--of", "safety"), "safety"),
    ],
)  # fmt: skip
def test_a_name_that_only_a_module_has_says_which(capsys, words, name):
    told = refused(capsys, *words)
    assert f'{name} comes with the module "safety": add --with safety, or' in told
    assert told.count("\n") == 0


def test_a_name_that_nothing_has_is_of_no_module(capsys):
    assert "module" not in refused(capsys, "run", "human_depressed_iv", "--set", "nmda.kk=1 uM")
    near = ("--set", "safety.c51=1 uM")
    assert "module" not in refused(capsys, "run", "human_safety", *near)
    assert "module" not in refused(capsys, "run", "human_depressed_iv", *near)
