"""``ketasim app`` writes a page, and refuses what it cannot read in a sentence."""

from click.testing import CliRunner

from ketasim.cli.main import group


def test_a_page_is_written_where_it_was_asked_for(tmp_path):
    path = tmp_path / "page.html"
    done = CliRunner().invoke(group, ["app", "rat_10", "-o", str(path)])
    assert done.exit_code == 0, done.output
    assert str(path) in done.output
    assert "rat_10" in path.read_text(encoding="utf-8")


def test_an_unknown_configuration_is_refused(tmp_path):
    done = CliRunner().invoke(group, ["app", "rat_11", "-o", str(tmp_path / "page.html")])
    assert done.exit_code != 0
    assert "rat_11" in str(done.exception)
