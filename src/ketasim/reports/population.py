"""A virtual cohort in words: what it reproduces and predicts, and how far it was bent."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ketasim.reports.text import Table, Text, moment, number
from ketasim.studies.patients.cohort import METHODS, Cohort, Match, Shift
from ketasim.studies.patients.predict import Prediction

if TYPE_CHECKING:
    from ketasim.verbs.population import Population

FURTHEST = 8  # traits shown


def population_text(found: "Population") -> Text:
    """Return everything that ``ketasim population`` prints."""
    if not found.cohort.matches:
        return Text(f"{trait_table(found.shifts)}\n\n{bending(found.cohort)}")
    parts: list[object] = [match_table(found.cohort.matches), bending(found.cohort)]
    parts.append(shift_table(found.shifts))
    if found.predictions:
        parts.append(prediction_table(found.predictions))
    return Text("\n\n".join(map(str, parts)))


def match_table(matches: Iterable[Match]) -> Table:
    """Return each published statistic beside that of the cohort."""
    rows = []
    for one in matches:
        trial, arm, at, kind = one.goal.label
        stat = one.goal.statistic
        rows.append(
            (
                trial, arm, moment(at), kind.replace("_", " of "), number(stat.value),
                number(stat.error), number(one.plausible), number(one.cohort),
                f"{one.misses:+.1f}", "" if one.reproduced else "not reproduced",
            )
        )  # fmt: skip
    head = (
        "trial", "arm", "at", "statistic", "published", "error", "plausible", "cohort", "errors", ""
    )  # fmt: skip
    lost = sum(bool(row[-1]) for row in rows)
    note = f"{len(rows) - lost} of {len(rows)} published numbers within 1.96 sampling errors."
    return Table(head, tuple(rows), note)


def bending(found: Cohort) -> str:
    """Return in a sentence how far plausible patients had to be bent."""
    told = (
        f"cohort: {len(found.places):,} patients ({found.different:,} different) of "
        f"{found.plausible:,} plausible ones, {METHODS.get(found.method, 'as they were drawn')}"
    )
    if found.weighed is None:
        return f"{told}."
    weighed = found.weighed
    return (
        f"{told}; the weights are worth {weighed.effective:,.0f} equal patients, the largest is "
        f"{weighed.weights.max() * found.plausible:.3g} times an equal one, relative entropy "
        f"{weighed.bent:.2f} nats."
    )


def shift_table(shifts: Iterable[Shift]) -> Table:
    """Return the traits whose distribution had to be bent most."""
    worst = sorted(shifts, key=lambda one: -one.distance)
    bent = [one for one in worst if one.distance > one.by_chance]
    rows = tuple(
        (
            one.trait, number(one.before[0]), number(one.before[1]), number(one.after[0]),
            number(one.after[1]), number(one.distance),
        )
        for one in bent[:FURTHEST]
    )  # fmt: skip
    chance = worst[0].by_chance if worst else 0.0
    note = (
        f"{len(bent)} of {len(worst)} traits bent further than chance would (distance "
        f"{chance:.3g} for a cohort of this size)."
    )
    return Table(("trait", "mean", "SD", "in the cohort", "SD", "distance"), rows, note)


def trait_table(shifts: Iterable[Shift]) -> Table:
    """Return mean and SD of every trait, of plausible patients and of the cohort."""
    rows = tuple(
        (one.trait, *(number(value) for value in (*one.before, *one.after))) for one in shifts
    )
    return Table(("trait", "mean", "SD", "in the cohort", "SD"), rows)


def prediction_table(found: Iterable[Prediction]) -> Table:
    """Return each number of the trials that were not used, and whether it lies inside."""
    rows = tuple(
        (
            one.trial, one.arm, moment(one.at), one.kind.replace("_", " of "),
            number(one.published), number(one.interval[1]),
            f"{number(one.interval[0])} to {number(one.interval[2])}",
            "inside" if one.inside else "OUTSIDE",
            "inside" if one.inside_narrow else "outside",
        )
        for one in found
    )  # fmt: skip
    head = (
        "not used", "arm", "at", "statistic", "published", "predicted", "95 % interval", "",
        "setting known",
    )  # fmt: skip
    count = sum(row[7] == "inside" for row in rows)
    note = f"{count} of {len(rows)} numbers of trials that were not used lie inside."
    return Table(head, rows, note)
