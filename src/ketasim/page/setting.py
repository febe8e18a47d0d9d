"""A scenario as the page holds it: plain numbers in hours and declared units, ready for JSON."""

from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from math import inf
from typing import Any

from ketasim.core.model import Model
from ketasim.core.protocol import Bath, Dose, Hold
from ketasim.core.scenario import Scenario
from ketasim.units import read, unit

LONGEST_CYCLE = 7
Setting = dict[str, Any]


def setting_of(scenario: Scenario) -> Setting:
    """Return a scenario as the page's setting."""
    model, events = scenario.model, scenario.protocol.events
    values = {
        name: read(str(text), model.unit(name), name) / unit(model.unit(name)).factor
        for name, text in scenario.subject.values.items()
    }
    values |= {name: model.value(name) / unit(model.unit(name)).factor for name in model.edits}
    return {
        "name": scenario.name,
        "species": scenario.subject.species,
        "weight": scenario.subject.weight,
        "doses": list(_doses([one for one in events if isinstance(one, Dose)])),
        "holds": [_hold(one, model) for one in events if isinstance(one, Hold)],
        "baths": [
            {"drug": one.drug, "level": one.concentration, **_window(one)}
            for one in events
            if isinstance(one, Bath)
        ],
        "from": scenario.times[0],
        "until": scenario.times[-1],
        "params": values,
    }


def _doses(doses: Sequence[Dose]) -> Iterable[Setting]:
    def like(one: Dose) -> tuple[Any, ...]:
        return one.drug, one.amount, one.per_weight, one.route, one.over, one.s_fraction

    for (drug, amount, per_weight, route, over, share), group in groupby(doses, like):
        yield {
            "drug": drug, "amount": amount, "unit": "mg/kg" if per_weight else "mg",
            "route": route, "over": over, "share": share, **_times([one.start for one in group]),
        }  # fmt: skip


def _times(starts: Sequence[float]) -> Setting:
    """Return times as a start, a cycle of gaps and a count where these give them, or a list."""
    gaps = [b - a for a, b in pairwise(starts)]
    for length in range(1, min(LONGEST_CYCLE, len(gaps)) + 1):
        if min(gaps) > 0.0 and _repeated(starts[0], gaps[:length], len(starts)) == list(starts):
            return {"start": starts[0], "every": gaps[:length], "times": len(starts)}
    if len(starts) == 1:
        return {"start": starts[0], "every": [24.0], "times": 1}
    return {"start": starts[0], "every": [24.0], "times": 1, "at": list(starts)}


def _repeated(start: float, gaps: Sequence[float], count: int) -> list[float]:
    found = [start]
    for i in range(count - 1):
        found.append(found[-1] + gaps[i % len(gaps)])
    return found


def _hold(one: Hold, model: Model) -> Setting:
    name = model.knobs[one.knob].unit
    level = read(one.value, name, one.knob) / unit(name).factor
    return {"knob": one.knob, "level": level, **_window(one)}


def _window(one: Hold | Bath) -> Setting:
    return {
        "from": "always" if one.start == -inf else one.start,
        "until": None if one.stop == inf else one.stop,
    }
