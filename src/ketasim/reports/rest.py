"""Rest and the course of one dose, told in words: loops, draws that return, sentences broken."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from ketasim.reports.text import Text, columns, number
from ketasim.studies.course import Kept
from ketasim.studies.rest import Loop, Together
from ketasim.studies.returns import Draw

STILL = 1e-9  # a slope of so few scales an hour is rounding


def rest_text(
    loops: Sequence[Loop], together: Together, draws: Mapping[str, Sequence[Draw]], days: int
) -> Text:
    """Return the tables of loops and of draws."""
    all_of_them = (
        f"All loops together return {together.own:.2f} of a change, in draws at most "
        f"{together.drawn:.2f}, off rest {together.away:.2f}; at 1 there would be another rest."
    )
    return Text("\n".join([*_loops(loops), all_of_them, "", *_draws(draws, days)]))


def _loops(loops: Sequence[Loop]) -> Iterator[str]:
    pushing = [one for one in loops if one.pushes_back]
    strong = [one for one in loops if not one.pushes_back]
    yield "Feedback loops that strengthen a change, and how much of it comes back around them:"
    rows = [["own", "draws", "largest", "ceiling", "off rest", "loop (hangs on)"]]
    for one in strong:
        values = (one.gain, one.drawn, one.largest, one.ceiling, one.away)
        hangs = f" ({', '.join(one.worst)})" if one.worst else ""
        rows.append([*(f"{value:.2f}" for value in values), f"{one.told}{hangs}"])
    yield columns(rows)
    yield (
        "own: at the model's values; draws: the most among draws in the ledger's bounds; largest: "
        "that a search over their ends found;\nceiling: the product of the largest single "
        "logarithmic answers; off rest: with every state up to 3 times off its rest."
    )
    unsafe = [one for one in strong if not one.safe]
    yield f"{len(pushing)} more loops push back. " + (
        f"{len(unsafe)} of {len(loops)} loops can return as much as they are given."
        if unsafe
        else f"None of {len(loops)} loops returns as much as it is given."
    )


def _draws(found: Mapping[str, Sequence[Draw]], days: int) -> Iterator[str]:
    rows = [
        ["draws", "in all", "with a rest", "still", "stable", "computed", f"back by day {days}"]
    ]
    for name, draws in found.items():
        possible = [one for one in draws if one.possible]
        computed = [one for one in possible if one.computed]
        counts = (
            len(draws),
            len(possible),
            sum(one.drift < STILL for one in possible),
            sum(one.slowest < 0.0 for one in possible),
            len(computed),
            sum(not one.late for one in computed),
        )
        rows.append([name, *map(str, counts)])
    yield columns(rows)
    for name, draws in found.items():
        yield from _refused(name, draws)
        yield from _late(name, [one for one in draws if one.possible and one.computed and one.late])


def _refused(name: str, draws: Sequence[Draw]) -> Iterator[str]:
    """Say which draws contradict themselves, and how the runs of others ended."""
    for what, many in Counter(one.why_not for one in draws if not one.possible).most_common():
        yield f"{many} draws of the {name} bounds contradict themselves: {what} is impossible."
    lost = Counter(one.status for one in draws if one.possible and not one.computed)
    for what, many in lost.most_common():
        yield f"{many} runs of the {name} bounds were not computed: {what}."


def _late(name: str, late: Sequence[Draw]) -> Iterator[str]:
    if not late:
        return
    yield f"Not back in draws of the {name} bounds, by the state of the slowest way back:"
    rows = [["state", "draws", "lasts, median", "left, median"]]
    for state in sorted({one.slow for one in late}, key=lambda s: (-_count(late, s), s)):
        own = [one for one in late if one.slow == state]
        lasts = median(one.lifetime for one in own) / 24.0
        left = median(one.late[state] for one in own)
        rows.append([state, str(len(own)), f"{number(lasts)} d", f"{left:.0%}"])
    yield columns(rows)


def _count(late: Sequence[Draw], state: str) -> int:
    return sum(one.slow == state for one in late)


def course_text(kept: Mapping[str, Kept]) -> Text:
    """Return how many draws are fast and then slow, and which sentences the others break."""
    rows = [["draws", "in all", "computed", "fast then slow", "share"]]
    rows += [
        [name, str(one.draws), str(one.computed), str(one.kept), f"{one.share:.0%}"]
        for name, one in kept.items()
    ]
    said = dict.fromkeys(sentence for one in kept.values() for sentence in one.broken)
    broken = [["broken by (draws)", *kept]]
    broken += [[s, *(str(one.broken.get(s, 0)) for one in kept.values())] for s in said]
    told = [columns(rows), columns(broken)] if said else [columns(rows)]
    return Text("\n\n".join([*told, *_decided(kept)]))


def _decided(kept: Mapping[str, Kept]) -> Iterator[str]:
    """Say for each sentence which parameter tells best whether a draw breaks it."""
    rows = [["draws", "sentence", "alone", "decided most by", "where broken", "elsewhere"]]
    rows += [
        [name, sentence, str(one.alone.get(sentence, 0)), who, number(broken), number(other)]
        for name, one in kept.items()
        for sentence, (who, broken, other) in one.decided.items()
    ]
    if len(rows) > 1:
        yield columns(rows)
        yield (
            "alone: draws that break nothing else; decided by: the parameter whose ranks differ "
            "most between draws that break a sentence and those that do not, with its medians."
        )
