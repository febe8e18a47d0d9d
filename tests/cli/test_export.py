"""Does ``ketasim export`` write, check and say what it should, and do values come back?"""

import re
import sys

import pytest

from ketasim.cli import main
from ketasim.export import peers

pytest.importorskip("libsbml", reason="needs python-libsbml: the command is not tested here")


def call(capfd, *words):
    """Run a command line; return its exit status, what it printed, and its complaints."""
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    said = capfd.readouterr()
    return ended.value.code or 0, said.out, said.err


def test_it_writes_and_says_what_libsbml_found(capfd, tmp_path):
    path = tmp_path / "model.xml"
    status, out, err = call(capfd, "export", "sbml", "human_healthy_iv", "-o", path)
    assert (status, err) == (0, "")
    assert out == f"L3V2, 0 errors, 0 unit warnings\n{path}\n"
    assert path.read_text("utf-8").startswith('<?xml version="1.0" encoding="UTF-8"?>\n<sbml')


def test_check_names_both_engines(capfd, tmp_path):
    for name in ("roadrunner", "COPASI"):
        if not callable(dict(peers.engines())[name]):
            pytest.skip(f"{name} is not installed: --check is not tested with it")
    words = ("export", "sbml", "human_healthy_iv", "-o", tmp_path / "m.xml", "--check")
    status, out, _ = call(capfd, *words)
    assert status == 0
    assert re.match(
        r"L3V2, 0 errors, 0 unit warnings; roadrunner [\d.]+ max rel diff \de-\d\d; "
        r"COPASI [\d.]+ max rel diff \de-\d\d over [\d,]+ points\n", out,
    )  # fmt: skip


def test_check_without_engines_says_what_to_install(capfd, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "roadrunner", None)
    monkeypatch.setitem(sys.modules, "COPASI", None)
    words = ("export", "sbml", "human_healthy_iv", "-o", tmp_path / "m.xml", "--check")
    status, out, err = call(capfd, *words)
    assert status == 0
    assert "no engine to check with" in out
    assert "roadrunner is not installed: pip install libroadrunner." in err
    assert "COPASI is not installed: pip install copasi-basico." in err


def test_an_engine_that_disagrees_is_an_error(capfd, tmp_path, monkeypatch):
    def frozen(text, names, times, rtol):
        import numpy as np

        return np.zeros((len(names), len(times)))

    monkeypatch.setattr("ketasim.export.peers.engines", lambda: [("frozen", frozen)])
    words = ("export", "sbml", "human_healthy_iv", "-o", tmp_path / "m.xml", "--check")
    status, _, err = call(capfd, *words)
    assert status == 2
    assert "the export does not agree with the reference" in err


def test_without_libsbml_it_says_what_to_install(capfd, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "libsbml", None)
    path = tmp_path / "m.xml"
    status, _, err = call(capfd, "export", "sbml", "human_healthy_iv", "-o", path)
    assert status == 2
    assert err == 'SBML export needs python-libsbml: pip install "ketasim[sbml]".\n'
    assert not path.exists()


def test_omex_is_written_beside_it(capfd, tmp_path):
    words = ("export", "sbml", "human_healthy_iv", "-o", tmp_path / "model.xml", "--omex")
    status, out, _ = call(capfd, *words, "--set", "output.until=1 d")
    assert status == 0
    assert out.endswith(f"{tmp_path / 'model.omex'}\n")
    assert (tmp_path / "model.omex").stat().st_size > 10_000


def test_a_place_that_cannot_be_written_is_said(capfd, tmp_path):
    (tmp_path / "file").touch()
    words = ("export", "sbml", "human_healthy_iv", "-o", tmp_path / "file" / "model.xml")
    status, _, err = call(capfd, *words)
    assert status == 2
    assert "cannot be written" in err


def test_changed_values_come_back_into_a_run(capfd, tmp_path):
    path = tmp_path / "new" / "model.xml"
    call(capfd, "export", "sbml", "human_healthy_iv", "-o", path)
    text = path.read_text("utf-8")
    changed = re.sub(r'(id="nmda__k_exchange"[^>]*value=")[\d.]+"', r'\g<1>81.25"', text)
    assert changed != text
    path.write_text(changed, encoding="utf-8")
    words = ("run", "human_healthy_iv", "--values", path, "-o", tmp_path / "out")
    status, _, err = call(capfd, *words, "--set", "output.until=1 d")
    assert status == 0
    assert "model.xml: nmda.k_exchange = 81.25 1/h." in err
    assert '"nmda.k_exchange" = "81.25 1/h"' in (tmp_path / "out/scenario.toml").read_text("utf-8")


def test_a_file_without_changes_says_so(capfd, tmp_path):
    path = tmp_path / "model.xml"
    words = ("--set", "output.until=1 d")
    call(capfd, "export", "sbml", "human_healthy_iv", "-o", path, *words)
    run = ("run", "human_healthy_iv", "--values", path, "-o", tmp_path / "out", *words)
    status, _, err = call(capfd, *run)
    assert status == 0
    assert err == "model.xml: no parameter differs.\n"
