"""Write docs/coverage.md: what the source documents name, and what in the model carries it.

Run: python scripts/coverage_page.py

docs/coverage.csv is what people edit, a row a claim. ``carried`` holds, with semicolons between,
full names (``serotonin.level``: a state, quantity, input or parameter of the whole model) or a kind
and a name: ``check 7``, ``experiment trial_day_1``, ``config monkey_pet``, ``drug esketamine``,
``route intranasal``, ``subject monkey``, ``rival serotonin``, ``module safety``; and a module with
the number of one of its checks: ``safety 5``. A row that names what does not exist is a fault.
"""

import csv
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ketasim.config.findings import load_checks, load_folder
from ketasim.config.packaged import configs, folder, packaged_library
from ketasim.errors import suggest
from ketasim.models import MODULES, whole
from ketasim.verbs.check import checked_modules, module_checks

ROOT = Path(__file__).parents[1]
TABLE, PAGE = ROOT / "docs" / "coverage.csv", ROOT / "docs" / "coverage.md"
STATUS = ("yes", "partly", "no", "context")
CARRIED = STATUS[:2]
TESTS = ("check", "experiment")  # kinds that hold the model to something; so do a module's checks
DOCUMENTS = ("000", "001", "002", "003", "004")


@dataclass(frozen=True)
class Row:
    """One thing that a document names, in other words, and what carries it."""

    number: int
    document: str
    kind: str
    claim: str
    status: str
    carried: tuple[str, ...]
    note: str

    @property
    def tests(self) -> tuple[str, ...]:
        """Return what holds the model to it: checks, experiments, checks of a module."""
        kinds = (*TESTS, *MODULES)
        return tuple(one for one in self.carried if one.partition(" ")[0] in kinds and " " in one)


def rows(path: Path = TABLE) -> list[Row]:
    """Return the rows of the table."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Row(int(one["number"]), one["document"], one["kind"], one["claim"], one["status"],
                tuple(part.strip() for part in one["carried"].split(";") if part.strip()),
                one["note"])
            for one in csv.DictReader(file)
        ]  # fmt: skip


@cache
def known() -> Mapping[str, frozenset[str]]:
    """Return the names there are, by kind; those of the whole model under the kind ''."""
    model, library = whole(), packaged_library()
    found = {
        "": frozenset((*model.recordable, *model.knobs, *model.parameters)),
        "check": frozenset(str(one.number) for one in load_checks()),
        "experiment": frozenset(one.name for one in load_folder(folder() / "experiments")),
        "config": frozenset(configs()),
        "drug": frozenset(one.name for one in model.substances),
        "route": frozenset(route for _, route in model.inlets),
        "subject": frozenset(library.subjects),
        "rival": frozenset(one.stem for one in (folder() / "hypotheses").glob("*.toml")),
        "module": frozenset(MODULES),
    }
    for name in checked_modules():
        found[name] = frozenset(str(one.number) for one in module_checks(name))
    return found


def faults(some: Sequence[Row]) -> Iterator[str]:
    """Yield a sentence for each thing wrong with rows, what does not exist first."""
    for one in some:
        where = f"row {one.number}"
        yield from (f"{where}: {told}" for part in one.carried if (told := _missing(part)))
        if one.status not in STATUS or one.document not in DOCUMENTS:
            yield f'{where}: "{one.status}" of document "{one.document}" is not known.'
        if one.status in CARRIED and not one.carried:
            yield f"{where}: {one.status}, but nothing carries it."
        if one.status not in CARRIED and (one.carried or not one.note):
            yield f"{where}: {one.status} needs the reason, and nothing that carries it."
        if one.status == "partly" and not one.note:
            yield f"{where}: partly needs what is missing."
    numbers = [one.number for one in some]
    if numbers != list(range(1, len(some) + 1)):
        yield "rows are not numbered from 1."


def _missing(part: str) -> str:
    kind, _, name = part.rpartition(" ")
    if kind not in known():
        return f'"{part}": no such kind.{suggest(kind, known())}'
    names = known()[kind]
    return "" if name in names else f'"{part}" does not exist.{suggest(name, names)}'


def page(some: Sequence[Row]) -> str:
    """Return the page: counts, by document, and every row."""
    counts = Counter(one.status for one in some)
    carried = [one for one in some if one.status in CARRIED]
    tested = [one for one in carried if one.tests]
    head = ["document", *STATUS]
    lines = ["| " + " | ".join(head) + " |", "|---|" + "--:|" * len(STATUS)]
    for document in DOCUMENTS:
        own = Counter(one.status for one in some if one.document == document)
        lines.append("| " + " | ".join([document, *(str(own[one]) for one in STATUS)]) + " |")
    told = ", ".join(f"{name} {counts[name]}" for name in STATUS)
    return f"""# What the source documents name, and what carries it

Written by `python scripts/coverage_page.py` from `docs/coverage.csv`, which is what to edit.

**{len(some)} things: {told}.** Yes or partly: {len(carried)}, of which {len(tested)} have a check
or a finding behind them. `yes`: something carries it; `partly`: lumped, constant, or a part of it;
`no`: left out, with the reason; `context`: not a thing that a model can hold. That a finding is
behind a row says that the model is held to it, not that it passes: `ketasim check`,
`ketasim check --module all` and `ketasim judge` say which do. Names of modules need `--with`
(`ketasim list modules`).

{chr(10).join(lines)}

| # | document | kind | what is said, in other words | | carried by | note |
|--:|---|---|---|---|---|---|
{chr(10).join(map(_line, some))}
"""


def _line(one: Row) -> str:
    carried = ", ".join(f"`{part}`" for part in one.carried)
    cells = [str(one.number), one.document, one.kind, one.claim, one.status, carried, one.note]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def main() -> None:
    some = rows()
    found = list(faults(some))
    if found:
        sys.exit("docs/coverage.csv: " + "\n".join(found))
    PAGE.write_text(page(some), encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
