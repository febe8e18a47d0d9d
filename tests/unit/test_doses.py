"""Repeated dosing told dose by dose; conditions named; comparisons across them warned of."""

import pytest

import ketasim as ks
from ketasim.config import load
from ketasim.errors import ConfigError
from ketasim.studies.cautions import condition_of, differing


@pytest.fixture(scope="module")
def twice():
    return ks.run("twice_weekly", engine="ensemble", sets=["output.until=25 d"])


def test_every_dose_has_a_row(twice):
    rows = list(twice.doses)
    assert len(rows) == 8
    assert [row["at"] for row in rows][:3] == ["0 min", "3 d", "7 d"]
    assert {row["amount"] for row in rows} == {"35.0 mg"}
    assert "left: at the next dose" in repr(twice)
    assert "left: at the next dose" in twice._repr_html_()


def test_what_a_dose_reached_is_what_the_course_shows(twice):
    course = twice.drawn["outcome.score"].isel(member=0)
    second = course.sel(time=slice(72.0, 168.0 - 1e-3))
    row = list(twice.doses)[1]
    peak = float(second.min())
    assert float(row["outcome.score peak [points]"]) == pytest.approx(peak, rel=1e-3)
    first, after = float(course[0]), float(course.sel(time=168.0, method="nearest"))
    share = (after - first) / (peak - first)
    assert float(repr(twice.doses).splitlines()[2].split()[-1].rstrip("%")) == pytest.approx(
        100 * share, abs=1.0
    )


def test_one_dose_needs_no_table():
    run = ks.run("rat_10", engine="ensemble", sets=["output.until=1 d"])
    assert run.doses is None
    assert run.table.note == "rat, 300 g, healthy"


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("rat_10", "healthy"),
        ("human_depressed_iv", "stress.stressor 1.0 always"),
        ("ketamine_nbqx", "stress.stressor 1.0 from -21 d to 0 s"),
    ],
)
def test_a_condition_is_what_was_held_long_before_the_drug(config, told):
    assert condition_of(load(config).scenario) == told


def test_unlike_subjects_are_not_compared_in_silence():
    rat, human, nbqx, mouse = (
        load(name).scenario
        for name in ("rat_10", "human_depressed_iv", "ketamine_nbqx", "mouse_ip_after_stress")
    )
    (told,) = differing([rat, human])
    assert "differ in species (rat; human)" in told
    assert "condition (healthy; stress.stressor 1.0 always)" in told
    assert "also differ in what is given, weight" in told
    assert differing([nbqx, mouse]) == ()
    heard = []
    ks.compare("rat_10", "human_healthy_iv", sets=["output.until=1 d"], tell=heard.append)
    assert any("differ in species" in one for one in heard)


def test_the_name_of_a_configuration_is_guessed():
    with pytest.raises(ConfigError, match='Did you mean "human_depressed_iv"'):
        load("human_depresed_iv")
