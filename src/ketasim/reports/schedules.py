"""A chosen schedule in words: its visits, what every goal comes to, the front, every patient."""

from typing import Any

import numpy as np

from ketasim.reports.text import NONE, Table
from ketasim.studies.schedules.choose import Chosen
from ketasim.studies.schedules.goals import Goal, Relapse
from ketasim.studies.schedules.plan import Plan
from ketasim.studies.schedules.runs import Found, Problem, Runs
from ketasim.studies.schedules.search import FEASIBLE

AT_LIMIT = 0.01  # share of a limit from which on it is said to bind
Rows = list[dict[str, Any]]


def subject_of(problem: Problem) -> str | None:
    """Return the course that the first wish of a run is of; None where all are of the schedule."""
    for goal in problem.goals:
        if isinstance(goal.what, Relapse):
            return goal.what.first.names[0]
        if not isinstance(goal.what, str):
            return goal.what.names[0]
    return None


def visit_rows(chosen: Chosen) -> Rows:
    """Return the best schedule, a row a visit."""
    plan = chosen.searched.plan
    visits = plan.visits_of(chosen.point)
    mass = "mg/kg" if plan.per_weight else "mg"
    columns = zip(visits.starts[0], visits.amounts[0], visits.durations[0], strict=True)
    return [
        {
            "visit": i,
            "day": float(start) / 24.0,
            f"dose [{mass}]": float(amount),
            "duration [min]": 60.0 * float(lasts),
            "drug": plan.drug,
            "route": plan.route,
            "given": bool(start + lasts <= chosen.problem.end),
        }
        for i, (start, amount, lasts) in enumerate(columns, start=1)
    ]


def visits(chosen: Chosen) -> Table:
    """Return the best schedule as a table."""
    rows = visit_rows(chosen)
    mass = next(key for key in rows[0] if key.startswith("dose"))
    body = tuple(
        (str(one["visit"]), f"{one['day']:.2f}", f"{one[mass]:.3f}", f"{one['duration [min]']:.0f}")
        for one in rows
    )
    plan, best = chosen.searched.plan, chosen.searched.best
    patients = len(chosen.problem.cohort)
    whom = f"{patients} patients" if patients > 1 else "one subject"
    draws = chosen.problem.cohort.n_draws
    if draws > 1:
        whom += f" x {draws} draws of a posterior"
    told = f"{plan.label}; {len(plan.variables)} numbers free; {whom}; the search {best.told}."
    if not best.is_allowed:
        told += (
            f" NO schedule that was found keeps to every limit: this one passes one by "
            f"{100.0 * best.excess:.2g} %. Loosen it, or widen the ranges."
        )
    if chosen.found.failed:
        told += f" {chosen.found.failed} runs failed and are left out."
    return Table(("visit", "day", mass, "over [min]"), body, told)


def goal_rows(chosen: Chosen) -> Rows:
    """Return what every goal comes to; a limit of each visit is told for the visit nearest it."""
    rows, plan = [], chosen.searched.plan
    usual_plan = chosen.problem.usual
    for goal in chosen.problem.goals:
        best = _worst(goal, chosen.found, chosen.problem, plan)
        usual = None
        if chosen.usual is not None and usual_plan is not None:
            usual = _worst(goal, chosen.usual, chosen.problem, usual_plan)
        rows.append(
            {"goal": goal.told, "unit": goal.unit, "best": best, "usual": usual,
             "limit": goal.limit, "state": _state(goal, best)}
        )  # fmt: skip
    return rows


def _worst(goal: Goal, found: Found, problem: Problem, plan: Plan) -> float:
    """Return the output of a goal, of several the one that is worst off."""
    at = 0
    for one in problem.goals:
        n = one.outputs(plan)
        if one is goal:
            return float((goal.sign * found.outputs[0, at : at + n]).max() * goal.sign)
        at += n
    return float("nan")


def _state(goal: Goal, value: float) -> str:
    if goal.limit is None:
        return "wish"
    over = float(goal.excess(np.array(value)))
    if over > FEASIBLE:
        return "PASSED"
    return "at its limit" if over > -AT_LIMIT else "kept"


def goals(chosen: Chosen) -> Table:
    """Return what every goal comes to as a table."""
    rows = goal_rows(chosen)
    body = tuple(
        (one["goal"], goal.shown(one["best"]),
         NONE if one["usual"] is None else goal.shown(one["usual"]), one["state"])
        for goal, one in zip(chosen.problem.goals, rows, strict=True)
    )  # fmt: skip
    return Table(("goal", "best", "usual", "state"), body)


def front_rows(chosen: Chosen) -> Rows:
    """Return the front, a row a schedule, with its visits."""
    rows = []
    first, second = chosen.problem.objectives
    for one in chosen.front:
        plan = chosen.problem.plans[one.plan]
        visits = plan.visits_of(np.array([one.point]))
        rows.append(
            {"plan": plan.label, f"{first.label} [{first.unit}]": one.values[0],
             f"{second.label} [{second.unit}]": one.values[1], "kept to limits": one.is_allowed,
             "none better in both": one.is_best,
             "doses": " ".join(f"{x:.4g}" for x in visits.amounts[0]),
             "days": " ".join(f"{x / 24.0:.4g}" for x in visits.starts[0]),
             "minutes": " ".join(f"{60.0 * x:.4g}" for x in visits.durations[0])}
        )  # fmt: skip
    return rows


def front(chosen: Chosen) -> Table:
    """Return the front as a table."""
    if not chosen.front:
        return Table(("front",), (), "one wish has no front; give two [[objective]] tables.")
    first, second = chosen.problem.objectives
    body = tuple(
        (first.shown(one.values[0]), second.shown(one.values[1]),
         chosen.problem.plans[one.plan].label,
         "" if one.is_best else "passes a limit" if not one.is_allowed else "another is better")
        for one in chosen.front
    )  # fmt: skip
    return Table((first.told, second.told, "plan", ""), body)


def start_rows(chosen: Chosen) -> Rows:
    """Return every search, a row each."""
    rows = []
    for one in chosen.plans:
        for where, ended in [*(("few", s) for s in one.starts), ("all", one.best)]:
            rows.append(
                {"plan": one.plan.label, "patients": where, "start": ended.start,
                 "value": ended.value, "passes a limit by": ended.excess,
                 "evaluations": ended.evaluations, "ended": ended.told}
            )  # fmt: skip
    return rows


def patient_rows(chosen: Chosen) -> Rows:
    """Return every patient's own value of each wish, the mean over draws."""
    problem = chosen.problem
    whole = Runs.owners(problem, chosen.searched.plan)
    usual = None if problem.usual is None else Runs.owners(problem, problem.usual)
    rows: Rows = [{"patient": i, "weight": float(w)} for i, w in enumerate(problem.cohort.weights)]
    for goal in problem.objectives:
        if not goal.of_runs:
            continue
        with np.errstate(all="ignore"):
            best = chosen.found.patients[0, whole.index(goal)].mean(axis=0)
            other = None
            if chosen.usual is not None and usual is not None:
                other = chosen.usual.patients[0, usual.index(goal)].mean(axis=0)
        for i, row in enumerate(rows):
            row[f"{goal.text}, best [{goal.unit}]"] = float(best[i])
            if other is not None:
                row[f"{goal.text}, usual [{goal.unit}]"] = float(other[i])
    return rows
