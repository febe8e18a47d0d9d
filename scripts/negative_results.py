"""Write docs/negative-results.md: where the hypotheses fail, from one run of the judgement.

Run: python scripts/negative_results.py
"""

from math import isnan
from pathlib import Path

import ketasim as ks
from ketasim.studies.judge.judgement import Judgement

PAGE = Path(__file__).parents[1] / "docs" / "negative-results.md"


def shown(value: float) -> str:
    return "nothing to read" if isnan(value) else f"{value:.2g}"


def table(judgement: Judgement, which: list[int]) -> str:
    head = ["finding", "observed", *judgement.names, "sources"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for i in which:
        one = judgement.findings[i]
        unit = "" if one.unit == "1" else f" {one.unit}"
        mark = " (contested)" if one.contested else ""
        cells = [shown(float(v)) for v in judgement.predicted[i]]
        sources = ", ".join(one.references)
        cells = [f"{one.title}{mark}", f"{one.observed.told}{unit}", *cells, sources]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def misses(judgement: Judgement, name: str) -> list[int]:
    column = judgement.agreement[:, judgement.names.index(name)]
    return [i for i, grade in enumerate(column) if grade != 2.0]


def page(judgement: Judgement) -> str:
    held_out = int(judgement.held_out.sum())
    about, names = judgement.about, [one.name for one in judgement.findings]
    default = misses(judgement, "disinhibition")
    none = list(judgement.unexplained)
    counts = [
        f"- {a.name}: {int((judgement.agreement[:, k] == 2.0).sum())} of {len(names)} agree, "
        f"{int((judgement.agreement[:, k] == 0.0).sum())} contradicted, "
        f"{sum(isnan(g) for g in judgement.agreement[:, k])} with nothing to read"
        for k, a in enumerate(judgement.hypotheses)
    ]
    return f"""# Negative results: where the hypotheses fail

Written by `python scripts/negative_results.py` from model `{about["model_digest"]}`:
{len(names)} findings, {about["replicates"]} replicates of {about["draws"]} posterior draws, seed
{about["seed"]}; an effect of {judgement.target:.3f} in mood, 24 h after 10 mg/kg in a stressed
mouse, is a datum. Predictions are posterior medians. `ketasim judge` prints the same numbers.

## What nothing explains

No hypothesis agrees with these findings.

{table(judgement, none)}

## What the default hypothesis gets wrong

The default (disinhibition) does not agree with {len(default)} of {len(names)} findings.

{table(judgement, default)}

## How often each hypothesis fails

{chr(10).join(counts)}

{order(judgement)}

## What tells nothing

These findings are explained about equally by every hypothesis, so that agreeing with them is no
merit:
{", ".join(names[i] for i in judgement.undecided)}.

## Read with care

- {held_out} of the findings were not used to shape the model{by_these(judgement)}. The rest favour
  the default, whose numbers were fitted to them.
- Findings of one paper share a part of their error; those of one laboratory or protocol do not.
- That (R)-ketamine does more than (S)-ketamine is shown by: {r_over_s(judgement)}.
"""


def order(judgement: Judgement) -> str:
    """Say which hypothesis is ahead and how surely; nothing where there is no result."""
    if judgement.missing:
        return judgement.verdict
    pivotal = [
        f"without {name}, {judgement.names[k]} {'is' if sure else 'may be'} first"
        for name, k, sure in judgement.pivotal
    ]
    told = "; ".join(pivotal) or "no paper alone changes which hypothesis is first"
    lines = [f"- {one}" for one in judgement.certainty]
    return "\n".join([judgement.verdict, "", *lines, "", f"Sensitivity to single papers: {told}."])


def by_these(judgement: Judgement) -> str:
    if judgement.missing:
        return ""
    names = ", ".join(judgement.names[i] for i in judgement.held_out_ranking)
    return f"; by these alone the order is {names}"


def r_over_s(judgement: Judgement) -> str:
    """Name the hypotheses under which R does more than S, with what else contradicts them."""
    names = [one.name for one in judgement.findings]
    rows = [names.index("r_over_s_day_1"), names.index("r_over_s_day_7")]
    able = [k for k in range(len(judgement.names)) if (judgement.agreement[rows, k] == 2.0).all()]
    told = [
        f"{judgement.names[k]} (contradicted by {int((judgement.agreement[:, k] == 0.0).sum())} "
        "other findings)"
        for k in able
    ]
    return ", ".join(told) or "no hypothesis"


if __name__ == "__main__":
    PAGE.write_text(page(ks.judge()), encoding="utf-8")
