"""Which members failed, how, what they have in common, and what is whole without them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import xarray as xr

TELLING = 0.2  # a region is named when it holds at most this share of the members that are fine
OK, RETRIED, NOT_RUN = 0, 1, -1
_FINE = ("ok", "ok_after_retry", "not_run")


def counts(dataset: "xr.Dataset") -> Mapping[str, int]:
    """Return how many members ended in each way, most frequent first."""
    return named(Counter(dataset["status"].to_numpy().tolist()), dataset["status"].attrs)


def named(found: Counter[int], flags: Mapping[str, Any]) -> Mapping[str, int]:
    """Return how often each status occurred by its name, most frequent first."""
    names = _meanings(flags)
    return {names.get(code, str(code)): n for code, n in found.most_common()}


def _meanings(flags: Mapping[str, Any]) -> Mapping[int, str]:
    codes = np.ravel(flags["flag_values"]).tolist()
    return dict(zip(codes, flags["flag_meanings"].split(), strict=True))


def failed(dataset: "xr.Dataset") -> NDArray[np.intp]:
    """Return the members that were run and have no usable values."""
    status = dataset["status"].to_numpy()
    return np.flatnonzero((status != OK) & (status != RETRIED) & (status != NOT_RUN))


def lost(found: Mapping[str, int]) -> int:
    """Return how many of the members counted were run and have no usable values."""
    return sum(n for name, n in found.items() if name not in _FINE)


def share(found: Mapping[str, int]) -> float:
    """Return the share of the members counted that were run and failed."""
    ran = sum(n for name, n in found.items() if name != "not_run")
    return lost(found) / ran if ran else 0.0


def varied(dataset: "xr.Dataset") -> tuple[str, ...]:
    """Return the names a design gave values to."""
    return tuple(str(n) for n in dataset.coords if n != "member" and dataset[n].dims == ("member",))


def rows(dataset: "xr.Dataset") -> Iterator[list[Any]]:
    """Yield the failed members as a table with their design values, a header with units first."""
    names = varied(dataset)
    yield ["member", "status", *(f"{n} [{dataset[n].attrs.get('units', '1')}]" for n in names)]
    words = _meanings(dataset["status"].attrs)
    chosen = failed(dataset)
    status = dataset["status"].to_numpy()[chosen]
    columns = [dataset[name].to_numpy()[chosen] for name in names]
    for i, member in enumerate(chosen.tolist()):
        yield [member, words[int(status[i])], *(float(column[i]) for column in columns)]


def sentence(dataset: "xr.Dataset") -> str:
    """Return ``'1,000 runs: 990 ok, 10 failed (1 %): max_steps 10. All failed runs have ...'``."""
    found = counts(dataset)
    return told(found, region(dataset) if lost(found) else "")


def told(ended: Mapping[str, int], where: str = "") -> str:
    """Return the sentence of members counted, ``where`` those that failed have in common."""
    found = dict(ended)
    total = sum(found.values())
    ok, again = found.pop("ok", 0), found.pop("ok_after_retry", 0)
    waiting = found.pop("not_run", 0)
    parts = [f"{ok:,} ok"]
    parts += [f"{again:,} ok after retry"] if again else []
    parts += [f"{waiting:,} not run"] if waiting else []
    failing = sum(found.values())
    if not failing:
        return f"{total:,} runs: {', '.join(parts)}."
    kinds = ", ".join(f"{name} {n:,}" for name, n in found.items())
    share_ = _percent(failing, total)
    line = f"{total:,} runs: {', '.join(parts)}, {failing:,} failed ({share_}): {kinds}."
    return f"{line} All failed runs have {where}." if where else line


def region(dataset: "xr.Dataset") -> str:
    """Return the part of one range that all failed members lie in, if it tells them apart."""
    chosen = failed(dataset)
    status = dataset["status"].to_numpy()
    fine = (status == OK) | (status == RETRIED)
    best, told = TELLING, ""
    for name in varied(dataset):
        values = dataset[name].to_numpy()
        bad, good = values[chosen], values[fine]
        if not len(bad) or not len(good) or not np.isfinite(bad).all():
            continue
        low, high = float(bad.min()), float(bad.max())
        inside = float(np.mean((good >= low) & (good <= high)))
        below, above = float(np.mean(good <= high)), float(np.mean(good >= low))
        if min(inside, below, above) < best:
            best = min(inside, below, above)
            unit = _unit(dataset, name)
            if below <= best:
                told = f"{name} <= {high:.3g}{unit}"
            elif above <= best:
                told = f"{name} >= {low:.3g}{unit}"
            else:
                told = f"{name} between {low:.3g} and {high:.3g}{unit}"
    return told


def _unit(dataset: "xr.Dataset", name: str) -> str:
    unit = str(dataset[name].attrs.get("units", "1"))
    return "" if unit == "1" else f" {unit}"


def _percent(part: int, whole: int) -> str:
    value = 100.0 * part / whole
    return f"{value:.2g} %" if value < 10.0 else f"{value:.0f} %"


class Survey:
    """How members ended, which blocks are whole, and the mean and the ends of every read-out."""

    def __init__(self, names: Sequence[str], blocks: int) -> None:
        self.ended: Counter[int] = Counter()
        self.fine = {name: np.zeros(blocks, dtype=bool) for name in names}
        self.without = dict.fromkeys(names, 0)
        self.count = dict.fromkeys(names, 0)
        self.total = dict.fromkeys(names, 0.0)
        self.squares = dict.fromkeys(names, 0.0)
        self.shift: dict[str, float] = {}
        self.ends = dict.fromkeys(names, (np.inf, -np.inf))

    def add_status(self, status: NDArray[np.int8]) -> None:
        """Count how members ended."""
        codes, counts = np.unique(status, return_counts=True)
        self.ended.update(dict(zip(codes.tolist(), counts.tolist(), strict=True)))

    def add(
        self, name: str, where: slice, status: NDArray[np.int8], values: NDArray[np.float64]
    ) -> None:
        """Add the values of some blocks."""
        known, ended = np.isfinite(values), (status == OK) | (status == RETRIED)
        self.without[name] += int(np.count_nonzero(ended & ~known))
        whole = (known & ended).all(axis=1)
        self.fine[name][where] = whole
        kept = values[whole]
        if kept.size:
            shift = self.shift.setdefault(name, float(kept.mean()))
            self.count[name] += kept.size
            self.total[name] += float((kept - shift).sum())
            self.squares[name] += float(((kept - shift) ** 2).sum())
            low, high = self.ends[name]
            self.ends[name] = min(low, float(kept.min())), max(high, float(kept.max()))

    @property
    def failures(self) -> Mapping[int, int]:
        """Return how many members failed in each way, most frequent first."""
        fine = (OK, RETRIED, NOT_RUN)
        return {k: n for k, n in self.ended.most_common() if k not in fine}

    @property
    def failed(self) -> int:
        """Return how many members failed."""
        return sum(self.failures.values())

    def mean(self, name: str) -> float:
        """Return the mean of a read-out over whole blocks."""
        return self.shift[name] + self.total[name] / self.count[name]

    def sd(self, name: str) -> float:
        """Return the standard deviation of a read-out over whole blocks."""
        n = self.count[name]
        return sqrt(max(0.0, self.squares[name] / n - (self.total[name] / n) ** 2))
