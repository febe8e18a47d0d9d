"""A virtual trial in words: its arms, its effects by each analysis, power and sizes."""

from typing import TYPE_CHECKING

from ketasim.reports.text import NONE, Table, Text, moment, number
from ketasim.studies.trial.analyse import METHODS

if TYPE_CHECKING:
    from ketasim.verbs.virtual_trial import Trial


def trial_text(found: "Trial") -> Text:
    """Return everything that ``ketasim trial`` prints."""
    parts = [arm_table(found), effect_table(found)]
    if found.powers:
        parts += [power_table(found), size_table(found)]
    return Text("\n\n".join(map(str, parts)))


def arm_table(found: "Trial") -> Table:
    """Return each arm: how many came, left, were rescued, believed, and what they showed."""
    rows = tuple(
        (
            str(one["arm"]), str(one["patients"]), str(one["left"]), str(one["rescued"]),
            f"{one['believe_drug']:.0%}", number(one["baseline"]), number(one["change"]),
            number(one["sd_change"]), f"{one['response']:.0%}", f"{one['remission']:.0%}",
        )
        for one in found.arms
    )  # fmt: skip
    head = (
        "arm", "patients", "left", "rescued", "believe drug", "baseline", "change", "SD",
        "response", "remission",
    )  # fmt: skip
    plan = found.plan
    note = (
        f"at {moment(plan.visits[-1])}, of those seen then; drawn from a cohort of "
        f"{len(found.pool.crew):,}."
    )
    return Table(head, rows, note)


def effect_table(found: "Trial") -> Table:
    """Return each arm's effect by every analysis, beside what it is in everybody."""
    plan, rows = found.plan, []
    for one in found.effects:
        low, high = one.interval(plan.alpha)
        mark = "primary" if one.method == plan.method else ""
        rows.append(
            (
                one.arm, METHODS[one.method], number(one.estimate), number(one.error),
                f"{number(low)} to {number(high)}", f"{one.p:.2g}", number(found.truth[one.arm]),
                mark,
            )
        )  # fmt: skip
    head = (
        "arm", "analysis", "effect", "error", f"{1 - plan.alpha:.0%} interval", "p",
        "in everybody", "",
    )  # fmt: skip
    note = (
        "points, against the control; in everybody: in the whole cohort, nobody lost, rescued or "
        "aware of the arm."
    )
    return Table(head, tuple(rows), note)


def power_table(found: "Trial") -> Table:
    """Return the power of each size tried."""
    rows = tuple(
        (
            one.arm, f"{one.patients:,}", f"{one.share:.3f}", f"{one.low:.3f} to {one.high:.3f}",
            number(one.effect), number(one.spread), str(one.failed) if one.failed else "",
        )
        for one in found.powers
    )  # fmt: skip
    head = ("arm", "patients", "power", "95 % interval", "mean effect", "its SD", "not analysed")
    note = f"{found.plan.trials:,} trials of each size; patients of all arms together."
    return Table(head, rows, note)


def size_table(found: "Trial") -> Table:
    """Return the size that each power needs."""
    rows = tuple(
        (
            one.arm, f"{one.power:.0%}", NONE if one.patients is None else f"{one.patients:,}",
            f"{NONE if one.low is None else one.low} to {NONE if one.high is None else one.high}",
            "" if one.inside else "beyond the sizes tried",
        )
        for one in found.needed
    )  # fmt: skip
    return Table(("arm", "power", "patients needed", "95 % interval", ""), rows)
