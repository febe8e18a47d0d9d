"""Parts of a search for a schedule: numbers to visits, patients to one number, resumed searches."""

import itertools
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

import ketasim as ks
import toy
from ketasim.core.protocol import Dose, Hold, Protocol
from ketasim.core.scenario import Scenario, Subject
from ketasim.engines.contract import Settings
from ketasim.errors import ConfigError, SolverError
from ketasim.results.problems import StoreError
from ketasim.studies.designs.columns import Columns
from ketasim.studies.designs.design import of_values
from ketasim.studies.schedules import search, slopes
from ketasim.studies.schedules.cohort import Bound, Cohort, alone, drawn, from_table, with_draws
from ketasim.studies.schedules.goals import read_goal, share_of, tail
from ketasim.studies.schedules.kept import Kept
from ketasim.studies.schedules.plan import Plan, Spread
from ketasim.studies.schedules.runs import Problem, Runs

END = 48.0
WARD = Scenario(toy.model(toy.body()), Protocol(), (0.0, END), Subject("human", 70.0))
QUICK = Settings("reference", threads=1)


def plan(visits=3, **changes):
    given = {
        "amount": Spread("dose", 0.1, 1.0, "mg/kg"),
        "gap": Spread("gap", 6.0, 20.0, "h"),
        "duration": Spread("duration", 30.0, 60.0, "min", "same"),
        **changes,
    }
    return Plan("drug", "iv", visits, **given)


def goal(text, sign=1.0, **more):
    return read_goal(text, WARD.model, where="goal", sign=sign, span=(0.0, END), **more)


def problem(**changes):
    given = {
        "scenario": WARD,
        "plans": (plan(2),),
        "objectives": (goal("body.plasma.mean", -1.0),),
        "constraints": (goal("total", limit="1 mg/kg"),),
        "cohort": drawn(WARD, 3, vary={"subject.weight": "uniform(50, 90) kg"}, seed=1),
        **changes,
    }
    return Problem(**given)


def test_what_is_free_is_named_and_ordered():
    names = [one.name for one in plan().variables]
    assert names == ["dose 1", "dose 2", "dose 3", "gap 1", "gap 2", "duration"]
    assert not plan(1, amount=Spread("dose", 0.5, 0.5, "mg/kg"),
                    duration=Spread("duration", 30.0, 30.0, "min")).variables  # fmt: skip


def test_a_point_is_visits_and_a_taper_is_powers():
    tapered = plan(
        amount=Spread("dose", 0.2, 1.0, "mg/kg", "taper", (0.5, 1.0)),
        gap=Spread("gap", 6.0, 6.0, "h", "taper", (1.0, 2.0)),
    )
    assert len(tapered.variables) == 4
    found = tapered.visits_of(np.array([[1.0, 0.0, 1.0, 0.5]]))
    np.testing.assert_allclose(found.amounts, [[1.0, 0.5, 0.25]])
    np.testing.assert_allclose(found.starts, [[0.0, 6.0, 18.0]])
    np.testing.assert_allclose(found.durations, 0.75)


def test_numbers_of_a_schedule_itself():
    one = plan()
    visits = one.visits_of(np.zeros((1, 6)))
    told = {word: float(one.number(word, visits)[0]) for word in
            ("total", "largest", "visits", "length")}  # fmt: skip
    assert told == pytest.approx({"total": 0.3, "largest": 0.1, "visits": 3, "length": 12})


def test_what_ends_after_the_run_is_not_given_but_counts_as_late():
    one = plan()
    visits = one.visits_of(np.ones((1, 6)))
    assert len(one.doses(visits, 0, end=30.0).events) == 2
    asker = search.Asker(
        Runs(problem(plans=(one,)), one, problem().cohort, QUICK),
        Kept(),
        "",
        goal("body.plasma.mean", -1.0),
        (),
    )
    assert asker.late(np.ones(6)) == pytest.approx((41.0 - END) / END)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"gap": Spread("gap", 0.5, 2.0, "h")}, "before the one before is over"),
        ({"amount": lambda: Spread("dose", 2.0, 1.0, "mg/kg")}, "smaller number first"),
        ({"amount": lambda: Spread("dose", 1.0, 2.0, "mg/kg", "eech")}, 'Did you mean "each"'),
        ({"visits": 0}, "between 1 and"),
    ],
)
def test_plans_that_cannot_be_are_refused(change, told):
    with pytest.raises(ConfigError, match=told):
        plan(**{k: v() if callable(v) else v for k, v in change.items()})


def test_the_worst_share_is_a_mean_over_the_worst_by_weight():
    values, weights = np.array([1.0, 5.0, 3.0, 9.0]), np.array([1.0, 1.0, 1.0, 1.0])
    assert tail(values, weights, 1.0, 1.0)[0] == pytest.approx(4.5)
    assert tail(values, weights, 0.25, 1.0)[0] == pytest.approx(9.0)
    assert tail(values, weights, 0.25, -1.0)[0] == pytest.approx(1.0)
    assert tail(values, weights, 0.375, 1.0)[0] == pytest.approx((9.0 + 0.5 * 5.0) / 1.5)
    twice = np.array([1.0, 1.0, 1.0, 0.0])  # who counts nothing is not among the worst
    assert tail(values, twice, 1.0 / 3.0, 1.0)[0] == pytest.approx(5.0)


def test_what_each_counts_is_the_slope_of_the_whole():
    rng = np.random.default_rng(1)
    values, weights = rng.normal(size=20), rng.uniform(size=20)
    whole, counts = tail(values, weights, 0.3, 1.0)
    assert counts.sum() == pytest.approx(1.0)
    moved = values + 1e-7 * rng.normal(size=20)
    assert tail(moved, weights, 0.3, 1.0)[0] - whole == pytest.approx(
        counts @ (moved - values), rel=1e-5
    )


@pytest.mark.parametrize(
    ("text", "share"), [("mean", 1.0), ("worst tenth", 0.1), ("Worst 5 %", 0.05)]
)
def test_shares_are_read(text, share):
    assert share_of(text, "over") == share


def test_a_share_that_is_none_is_refused_with_the_nearest():
    with pytest.raises(ConfigError, match='Did you mean "worst tenth"'):
        share_of("worst tenht", "objective[0].over")


def test_relapse_is_0_for_who_is_ill_and_the_rest_of_the_run_for_who_stays_well():
    one = goal("relapse(body.plasma, 0.5 uM, 10 h)", -1.0).what
    first, crossing = np.array([0.2, 0.2, 0.9]), np.array([15.0, np.nan, 20.0])
    np.testing.assert_allclose(one.value(first, crossing), [5.0, 38.0, 0.0])
    assert np.isnan(one.value(np.array([np.nan]), np.array([12.0]))).all()  # a run that failed


@pytest.mark.parametrize("n", [0, 1_000_001])
def test_a_cohort_has_a_patient_and_at_most_a_million(n):
    with pytest.raises(ConfigError, match=f"patients = {n}: must lie between 1 and 1,000,000"):
        drawn(WARD, n, vary={"subject.weight": "uniform(50, 90) kg"})


def test_a_cohort_is_read_with_its_weights(tmp_path):
    path = tmp_path / "cohort.csv"
    path.write_text("patient,subject.weight [kg],weight\n1,60,1\n2,90,3\n", encoding="utf-8")
    found = from_table(path, WARD)
    assert found.design.names == ("subject.weight",)
    np.testing.assert_allclose(found.weights, [1.0, 3.0])
    dataset = xr.Dataset(
        {
            "subject.weight": ("patient", [60.0, 90.0], {"units": "kg"}),
            "weight": ("patient", [1, 3]),
        },
        coords={"patient": [1, 2]},
    )
    dataset.to_netcdf(tmp_path / "cohort.nc")
    again = from_table(tmp_path / "cohort.nc", WARD)
    assert again.design.names == found.design.names
    np.testing.assert_allclose(again.design.rows(0, 2), found.design.rows(0, 2))

    columns = {"subject.weight": np.array([60.0, 90.0]), "body.volume": np.array([1.0, 2.0])}
    people = SimpleNamespace(columns=columns, units={"body.volume": "L"})
    assert from_table(people, WARD).design.units == ("kg", "L")
    plain = from_table({"subject.weight": [60.0, 90.0], "body.volume": [9.0, 8.0]}, WARD)
    assert plain.design.units == ("kg", "mL")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("patient,weight\n1,1\n", "no column says in what patients differ"),
        ("subject.weight [kg],weight\n60,-1\n", "none below 0"),
        ("dosing[0].amount [mg]\n60\n", "cannot differ in what is to be chosen"),
    ],
)
def test_cohorts_that_cannot_be_are_refused(tmp_path, text, told):
    path = tmp_path / "cohort.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=told):
        from_table(path, WARD)


def test_a_patient_keeps_its_ratio_to_the_model_in_every_draw():
    cohort = Cohort(of_values(("body.k_el",), ("1/h",), np.array([[0.2], [0.4]])), np.ones(2))
    names = list(WARD.model.parameters)
    k, base = names.index("body.k_el"), WARD.resolved_model.value("body.k_el")
    draws = of_values(("body.k_el",), ("1/h",), np.array([[base], [3.0 * base]]))
    found = Bound(WARD, with_draws(cohort, WARD, draws, 2)).parameters()
    np.testing.assert_allclose(found[:, k], [0.2, 0.4, 0.6, 1.2])


def test_draws_count_as_they_are_asked_to():
    """Patients first, then draws: their mean, or the worse half of them."""
    model = WARD.resolved_model
    draws = of_values(("body.k_el",), ("1/h",), model.value("body.k_el") * np.array([[1.0], [4.0]]))
    cohort = with_draws(alone(WARD), WARD, draws, 2)
    point = np.full((1, 4), 0.5)
    found = {}
    for share in (1.0, 0.5):
        asked = problem(cohort=cohort, over_draws=share)
        found[share] = Runs(asked, asked.plans[0], cohort, QUICK).at(point)
    each = found[1.0].patients[0, 0, :, 0]
    assert found[1.0].outputs[0, 0] == pytest.approx(each.mean())
    assert found[0.5].outputs[0, 0] == pytest.approx(each.min())  # more is wished for
    assert each[0] > 2.0 * each[1]


def test_the_best_of_several_plans_is_chosen():
    """With a total that all may use up, more can be given where more may be given at once."""
    little = plan(2, amount=Spread("dose", 0.1, 0.2, "mg/kg"))
    found = ks.optimise(
        problem(plans=(little, plan(2), replace(little, drug="s_drug", route="oral"))),
        engine="reference", starts=1, threads=1,
    )  # fmt: skip
    assert found.chosen.best == 1
    assert len(found.chosen.plans) == 3


def test_those_who_stand_for_all_count_for_all():
    asked = problem(cohort=drawn(WARD, 10, vary={"subject.weight": "uniform(50, 90) kg"}, seed=1))
    every = Runs(asked, asked.plans[0], asked.cohort, QUICK)
    few = search.representatives(every, every.plan.guess, 4)
    assert len(few.cohort) == 4
    assert few.cohort.weights.sum() == pytest.approx(10.0)
    assert search.representatives(every, every.plan.guess, 10) is every


def test_patients_differ_in_what_always_holds_too():
    ward = replace(WARD, model=toy.model())
    held = ward.with_protocol(Protocol((Hold("receptor.blocker", "50 %", -np.inf, np.inf),)))
    design = of_values(("intervention[0].level",), ("%",), np.array([[20.0], [80.0]]))
    bound = Bound(held, Cohort(design, np.ones(2)))
    given = Dose(1.0, True, "iv", "drug", 0.0, 0.5)
    found = bound.schedules(held.protocol + Protocol((given,)))
    k = list(ward.model.knobs).index("receptor.blocker")
    assert [one.before[k] for one in found] == [0.2, 0.8]


def test_slopes_are_those_of_every_output():
    asked = problem()
    runs = Runs(asked, asked.plans[0], asked.cohort, QUICK)
    point = np.array([0.3, 0.6, 0.5, 0.4])
    found = slopes.slopes(runs, point)
    np.testing.assert_allclose(found[1], [0.9, 0.9, 0.0, 0.0], atol=1e-9)
    steps = 0.01 * np.eye(4)
    ends = runs.at(np.concatenate([point + steps, point - steps])).outputs[:, 0]
    np.testing.assert_allclose(found[0], (ends[:4] - ends[4:]) / 0.02, rtol=2e-2, atol=1e-4)


def test_no_slope_is_taken_outside_the_cube():
    moved = slopes.shifted(np.array([0.0, 0.5, 1.0]))
    assert moved.min() >= 0.0
    assert moved.max() <= 1.0
    assert (np.diag(moved) != [0.0, 0.5, 1.0]).all()


def test_a_cohort_of_which_many_fail_is_no_answer(monkeypatch):
    asked = problem()
    runs = Runs(asked, asked.plans[0], asked.cohort, QUICK)
    with pytest.raises(SolverError, match="nothing can be concluded"):
        runs._lost(np.array([[[True, False, True]]]))


class Stopped(Exception):
    pass


def solved(out, **more):
    return ks.optimise(
        problem(), out=out, engine="reference", starts=2, few=2, threads=1, **more
    )  # fmt: skip


def test_what_was_stopped_goes_on_to_the_same_numbers(tmp_path, monkeypatch):
    whole = solved(tmp_path / "whole")
    put, count = Kept.put, [0]

    def stop(self, key, values):
        count[0] += 1
        if count[0] > whole.computed // 2:
            raise Stopped
        put(self, key, values)

    monkeypatch.setattr(Kept, "put", stop)
    with pytest.raises(Stopped):
        solved(tmp_path / "again")
    monkeypatch.setattr(Kept, "put", put)
    again = solved(tmp_path / "again")
    assert 0 < again.computed < whole.computed
    assert again.chosen.plans == whole.chosen.plans
    files = [(tmp_path / name / "evaluations.jsonl").read_bytes() for name in ("whole", "again")]
    assert files[0] == files[1]
    assert solved(tmp_path / "again").computed == 0


def test_another_problem_is_not_mixed_in(tmp_path):
    solved(tmp_path)
    with pytest.raises(StoreError, match="Use -o a new folder"):
        ks.optimise(
            replace(problem(), cohort=alone(WARD)), out=tmp_path, engine="reference", threads=1
        )


def test_no_number_depends_on_threads():
    found = [solved(None), ks.optimise(problem(), engine="reference", starts=2, few=2, threads=3)]
    assert found[0].chosen.plans == found[1].chosen.plans


def test_an_answer_is_written_whole(tmp_path):
    found = solved(None)
    files = {one.name for one in found.save(tmp_path)}
    assert {"schedule.png", "schedule.csv", "goals.csv", "starts.csv", "patients.csv",
            "optimum.json", "provenance.json"} <= files  # fmt: skip
    assert found.is_allowed
    assert "at its limit" in repr(found)
    rows = (tmp_path / "patients.csv").read_text("utf-8").splitlines()
    assert len(rows) == 1 + 3


def test_limits_that_cannot_be_kept_are_told():
    asked = problem(plans=(plan(1),), constraints=(goal("total", limit="0.05 mg/kg"),))
    found = ks.optimise(asked, engine="reference", starts=1, threads=1)
    assert not found.is_allowed
    assert "NO schedule" in repr(found)
    assert "PASSED" in repr(found)


def test_what_always_held_is_the_same_at_once_and_one_by_one():
    """Levels of many members are written into one schedule's arrays; each is as compiled alone."""
    ward = replace(WARD, model=toy.model())
    hold = Hold("receptor.blocker", "50 %", -np.inf, 9.0)
    held = ward.with_protocol(
        Protocol((hold, Dose(1.0, per_weight=True, route="iv", drug="drug", start=1.0, over=0.5)))
    )
    levels = np.array([[5.0], [30.0], [100.0], [101.0]])
    columns = Columns(held, of_values(("intervention[0].level",), ("%",), levels))
    fine = np.ones(4, dtype=bool)
    many = columns.schedules(levels, fine)
    assert fine.tolist() == [True, True, True, False]
    for row, one in zip(levels[:3], many, strict=False):
        alone_ = columns.schedule(row)
        for name in ("edges", "rates", "boluses", "knobs", "before"):
            np.testing.assert_array_equal(getattr(one, name), getattr(alone_, name))
        assert one.settled == alone_.settled


def test_two_wishes_give_a_front_with_its_figure_and_table(tmp_path):
    wishes = goal("body.plasma.mean", -1.0), goal("total")
    asked = problem(plans=(plan(1), plan(2)), objectives=wishes, constraints=())
    found = ks.optimise(asked, engine="reference", starts=1, points=3, threads=1)
    assert len(found.chosen.front) == 6
    first = [one for one in found.chosen.front if one.plan == 0]
    totals = [one.values[1] for one in first]
    assert totals == pytest.approx([1.0, 0.55, 0.1], rel=1e-2)
    assert all(a.values[0] > b.values[0] for a, b in itertools.pairwise(first))
    files = {one.name for one in found.save(tmp_path, formats=["svg"])}
    assert {"front.png", "front.svg", "front.csv", "schedule.svg"} <= files
    rows = (tmp_path / "front.csv").read_text("utf-8").splitlines()
    assert len(rows) == 1 + 6
    assert "<table>" in found._repr_html_()
    assert found.chosen.problem.usual is None
    assert list(found.figures) == ["schedule", "front"]


def test_one_wish_has_no_front():
    found = solved(None)
    assert "two [[objective]] tables" in repr(found.front)
