"""Values of one's own in a few lines: how many there are, of what, when, and in which arms."""

from collections import Counter
from math import isnan
from typing import TYPE_CHECKING

from ketasim.core.describe import Described, some
from ketasim.core.scenario import clock

if TYPE_CHECKING:
    from ketasim.studies.fit.data import Point


class Told(Described):
    """Points that tell themselves in a few lines; ``unused`` are columns that nobody reads."""

    source: str
    points: tuple["Point", ...]
    unused: tuple[str, ...]

    def _told(self) -> tuple[str, list[tuple[str, str]]]:
        arms = Counter(one.arm for one in self.points)
        texts = dict.fromkeys(one.text.partition("@t")[0] for one in self.points)
        rows = [
            ("points", f"{len(self.points)} in {len(arms)} arms"),
            ("read-outs", some(list(texts))),
            ("arms", some([f"{arm} ({count})" for arm, count in arms.items()])),
        ]
        times = [one.time for one in self.points if not isnan(one.time)]
        if times:
            rows.insert(1, ("times", f"{clock(min(times))} to {clock(max(times))}"))
        if self.unused:
            rows.append(("not used", some(self.unused)))
        return f"Data {self.source}", rows
