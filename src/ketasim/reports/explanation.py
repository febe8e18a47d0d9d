"""Which steps carry an effect: as text and as files."""

import csv
import json
from dataclasses import asdict
from pathlib import Path

from ketasim.errors import ConfigError
from ketasim.reports.text import Text, columns
from ketasim.studies.mediation import Explanation, Share

LEAST = 0.0005  # of the effect; smaller shares are counted, not listed


def as_text(found: Explanation) -> Text:
    """Return the shares as two tables, the largest first."""
    unit = "" if found.unit == "1" else f" {found.unit}"
    parts = [
        f"{found.readout}: {found.with_drug:.4g}{unit} with the drug, {found.without_drug:.4g}"
        f"{unit} without; effect {found.effect:+.4g}{unit}.",
        _table("node held at its drug-free course", found.nodes),
        _table("arrow held at its drug-free course", found.arrows),
        "Shares do not add up to 100 %: steps of one path each carry all of it, parallel paths "
        "share, and what works against the effect is negative.",
    ]
    return Text("\n\n".join(part for part in parts if part))


def _table(title: str, shares: tuple[Share, ...]) -> str:
    if not shares:
        return ""
    shown = [one for one in shares if abs(one.share) >= LEAST]
    rows = [[title, "share of effect", "left"]]
    rows += [[one.label, f"{one.share:.1%}", f"{one.left:.1%}"] for one in shown]
    rest = len(shares) - len(shown)
    told = f"\n{rest} more carry less than 0.05 %." if rest else ""
    return columns(rows) + told


def write(found: Explanation, out: Path) -> list[Path]:
    """Write the shares as CSV and as JSON; return the files.

    Raises
    ------
    ConfigError
        When one cannot be written.
    """
    rows = [["kind", "source", "into", "share", "left"]]
    for kind, shares in (("node", found.nodes), ("arrow", found.arrows)):
        rows += [[kind, s.source, s.into, repr(s.share), repr(s.left)] for s in shares]
    table, text = out / "shares.csv", out / "shares.json"
    try:
        with table.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
        text.write_text(json.dumps(asdict(found), indent=1, allow_nan=False) + "\n", "utf-8")
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written ({error.strerror}).") from None
    return [table, text]
