"""The model card's figure: predictions over published points and ranges."""

from pathlib import Path

import numpy as np

import ketasim as ks
from ketasim.plots.evidence import Band, Curve, Panel, Point
from ketasim.plots.evidence import draw as draw_panels

STRESS = ks.hold("stress.stressor", 1.0, start="always")
INFUSION = ks.infusion("0.5 mg/kg", over="40 min")


def _course(protocol, subject, end, *, every=0.05):
    times = np.unique(
        np.concatenate([np.arange(0, 6, 0.05), np.arange(6, end, max(every, 0.5)), [end]])
    )
    scenario = ks.Scenario(
        ks.models.antidepressant(), protocol, tuple(times[times <= end]), subject
    )
    return ks.simulate(scenario)


def _line(run, name, label, *, scale=1.0, per=1.0):
    return Curve(label, run["time"].to_numpy() / per, run[name].to_numpy()[0] * scale)


def plasma():
    run = _course(INFUSION, ks.human(), 4.0)
    return Panel(
        "Plasma, 0.5 mg/kg over 40 min",
        "Time (h)",
        "Ketamine (ng/mL)",
        (_line(run, "plasma.venous", "venous"), _line(run, "plasma.arterial", "arterial")),
        (Point(2 / 3, 185, 129.5, 240.5, "Zarate 2006"),),
        (Band(100, 250, "Krystal 1994", 0.75, 1.0, left=True),),
    )


def block():
    levels = np.logspace(-1.5, 1.5, 13)
    free = ks.hold("nmda.magnesium", "0 mM")
    found = []
    for level in levels:
        bath = ks.bath(f"{level:.6g} uM", until="4 h")
        run = _course(free + bath, ks.rat(), 4.0)
        found.append(100 * float(run["nmda.pyramidal_block"][0, -1]))
    return Panel(
        "NMDA current blocked, no magnesium",
        "Ketamine (µM)",
        "Block (%)",
        (Curve("model", levels, found),),
        (Point(1, 50, 35, 65, "K074"), Point(10, 80, 65, 95, "K074")),
        log_x=True,
    )


def glutamate():
    runs = [_course(ks.dose(f"{d} mg/kg", route="ip"), ks.rat(), 4.0) for d in (10, 30)]
    curves = tuple(
        _line(run, "glutamate.relative", f"rat, {d} mg/kg", scale=100)
        for run, d in zip(runs, (10, 30), strict=True)
    )
    human = _line(
        _course(INFUSION + STRESS, ks.human(), 4.0), "glutamate.relative", "human", scale=100
    )
    return Panel(
        "Extracellular glutamate",
        "Time (h)",
        "% of healthy rest",
        (*curves, human),
        (
            Point(0.45, 135, 110, 160, "10 mg/kg"),
            Point(0.75, 155, 130, 180, "30 mg/kg, Moghaddam 1997"),
        ),
        (Band(90, 110, "back by 2-3 h", 2.0, 4.0),),
    )


def pulse():
    run = _course(ks.dose("10 mg/kg", route="ip"), ks.rat(), 6.0)
    return Panel(
        "mTORC1 pulse, rat 10 mg/kg",
        "Time (h)",
        "× rest",
        (_line(run, "translation.mtorc1", "mTORC1"), _line(run, "translation.arc", "Arc")),
        bands=(Band(1.5, 3.0, "p-mTOR, Li 2010", 0.5, 1.0, left=True),),
    )


def proteins():
    run = _course(ks.dose("10 mg/kg", route="ip"), ks.rat(), 96.0)
    return Panel(
        "Synaptic proteins, rat 10 mg/kg",
        "Time (h)",
        "× rest",
        (_line(run, "translation.proteins", "model"),),
        bands=(Band(1.3, 2.0, "2-72 h, Li 2010", 2.0, 72.0),),
    )


def spines():
    dose = ks.dose("10 mg/kg", route="ip")
    stressed = _course(dose + STRESS, ks.mouse(), 336.0)
    naive = _course(dose, ks.mouse(), 336.0)
    return Panel(
        "Spine density, mouse 10 mg/kg",
        "Time (d)",
        "% of healthy rest",
        (
            _line(stressed, "spines.density", "stressed", scale=100, per=24),
            _line(naive, "spines.density", "unstressed", scale=100, per=24),
        ),
        bands=(Band(108, 115, "K190 (unconfirmed)", 1.0, 14.0),),
    )


def early_spines():
    run = _course(ks.dose("10 mg/kg", route="ip") + STRESS, ks.mouse(), 168.0)
    gain = run["spines.density"].to_numpy()[0]
    share = 100 * (gain - gain[0]) / (gain - gain[0]).max()
    shown = run["time"].to_numpy() <= 36
    return Panel(
        "Spines form late, mouse 10 mg/kg",
        "Time (h)",
        "% of the final gain",
        (Curve("model", run["time"].to_numpy()[shown], share[shown]),),
        bands=(
            Band(0, 10, "3-6 h, Moda-Sava 2019", 3, 6, left=True),
            Band(50, 100, "12-24 h", 12, 24),
        ),
    )


def human_score():
    treated = _course(INFUSION + STRESS, ks.human(), 672.0)
    control = _course(STRESS, ks.human(), 672.0)
    change = treated["outcome.score"].to_numpy()[0] - control["outcome.score"].to_numpy()[0]
    return Panel(
        "Human score, drug minus control",
        "Time (d)",
        "MADRS points",
        (Curve("model", treated["time"].to_numpy() / 24, change),),
        (Point(1, -7.7, -9.7, -5.7, "Murrough 2013"),),
        (Band(-1.8, 0, "lost by d 10-12, Kishimoto 2016", 12, 28),),
    )


def draw(path: Path) -> None:
    panels = (plasma, block, glutamate, pulse, proteins, early_spines, spines, human_score)
    draw_panels([one() for one in panels], path)


if __name__ == "__main__":
    draw(Path("docs/figures/model-card.png"))
