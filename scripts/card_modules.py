"""The model card's part on modules: what each adds, what it changes, which checks it passes."""

from collections import Counter
from collections.abc import Iterator, Sequence

from ketasim.core.declare import Parameter
from ketasim.core.module import Module
from ketasim.models.modules import MODULES
from ketasim.studies.findings.scorecard import Verdict
from ketasim.verbs.check import check_modules

KINDS = ("measured", "derived", "fitted", "assumed")


def section() -> str:
    """Return a row for each module, and each check that one does not pass, with the reason."""
    found = {name: verdicts for name, (verdicts, _) in check_modules().items()}
    rows = [_row(one, found.get(name, [])) for name, one in MODULES.items()]
    judged = [one for verdicts in found.values() for one in _judged(verdicts)]
    head = ["module", "what it is", "states", "parameters", *KINDS, "changes in the core, gain",
            "checks passed", "not passed"]  # fmt: skip
    lines = [f"- {text}" for name in found for text in _reasons(name, found[name])]
    return (
        "## Modules\n\nSystems beside the chain from dose to mood, which a model has or has not "
        "(docs/modules.md). The core's numbers above are of a model without any. A gain of 0 is a "
        "rival account, off by default.\n\n"
        f"{_table([head, ['---'] * len(head), *rows])}\n\n"
        f"{sum(one.passed for one in judged)} of {len(judged)} counted checks of modules pass. "
        "These do not, or not all of them:\n\n" + "\n".join(lines)
    )


def _row(one: Module, verdicts: Sequence[Verdict]) -> list[str]:
    """Return a module's row; parameters are its own and those of its couplings."""
    own = list(_parameters(one))
    kinds = Counter(each.evidence.kind for each in own)
    judged = _judged(verdicts)
    failed = [str(each.finding.number) for each in judged if not each.passed]
    return [
        f"`{one.name}`",
        one.story,
        str(sum(len(each.states) for each in one.mechanisms)),
        str(len(own)),
        *(str(kinds[kind]) for kind in KINDS),
        _changes(one),
        f"{len(judged) - len(failed)} of {len(judged)}" if judged else "has none",
        ", ".join(failed),
    ]


def _changes(one: Module) -> str:
    """Return the laws that a module wraps, and its gains with their values."""
    laws = dict.fromkeys(f"`{each.into}.{each.law}`" for each in one.couplings if each.law)
    gains = [
        f"`{each.into}.{p.name}` {p.value:g}" for each in one.couplings for p in each.parameters
    ]
    return ("; ".join([", ".join(laws), ", ".join(gains)]) if laws else "nothing").strip("; ")


def _parameters(one: Module) -> Iterator[Parameter]:
    for each in (*one.mechanisms, *one.couplings):
        yield from each.parameters


def _judged(verdicts: Sequence[Verdict]) -> list[Verdict]:
    return [each for each in verdicts if not each.finding.reported]


def _reasons(name: str, verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield a line for each check that is not passed."""
    for one in _judged(verdicts):
        if not one.passed:
            check = one.finding
            flags = dict.fromkeys(each.told for flagged in one.flags for each in flagged)
            why = check.fails or "; ".join(flags) or "the predictions lie outside what was seen"
            yield f"**{name} {check.number}**, {check.title}: {why.rstrip('.')}."


def _table(rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(c.replace("|", "\\|") for c in row) + " |" for row in rows)
