"""Every kind of picture that the package draws, of small results; see ``test_every_figure``."""

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import xarray as xr

import ketasim as ks
from ketasim.config.findings import load_folder
from ketasim.config.packaged import folder
from ketasim.config.population import load_population
from ketasim.config.schedules import load_schedule
from ketasim.config.trial import load_trial
from ketasim.plots import (
    certainty,
    designs,
    evidence,
    fan,
    fits,
    forest,
    judgement,
    overlay,
    pathway,
    patients,
    schedules,
    sensitivity,
    sweeps,
    timecourse,
    virtual_trial,
)
from ketasim.plots.panels import marks
from ketasim.studies.fit.data import is_timed
from ketasim.studies.fit.search import courses
from ketasim.studies.judge.decide import Designs
from ketasim.studies.mediation import Explanation, Share
from ketasim.studies.schedules.plan import Spread
from ketasim.studies.simulate import done

SCENARIO = """
[[dosing]]
drug = "ketamine"
amount = "0.5 mg/kg"
[[intervention]]
target = "ampa.antagonist"
level = 0.5
"""


def sweep(n=21, **more):
    """Return a sweep over two values with a summary and a course."""
    x = np.geomspace(0.05, 5, n)
    level = np.linspace(0, 1, 5)
    x, y = (one.ravel() for one in np.meshgrid(x, level))
    values = 30 - 10 * x / (0.4 + x) - 5 * y
    times = np.concatenate([np.arange(0, 6, 0.5), np.arange(6, 170, 4)])
    score = values[:, None] + 2 * np.exp(-times / 20)[None]
    return xr.Dataset(
        {
            "outcome.score.at(24 h)": ("member", values, {"units": "points"}),
            "outcome.score": (("member", "time"), score, {"units": "points"}),
            "status": ("member", np.zeros(len(x), np.int8)),
        },
        {
            "time": times,
            "dosing[0].amount": ("member", x, {"units": "mg/kg"}),
            "intervention[0].level": ("member", y, {"units": "1"}),
        },
        {"scenario": SCENARIO, **more},
    )


def explained():
    """Return arrows along a chain, past it and back, and the chain."""
    chain = ["drug", "nmda", "circuit", "glutamate", "ampa", "bdnf", "translation", "outcome"]
    shares = [1.0, 1.0, 1.0, 1.0, 0.9, 0.74, 0.74]
    arrows = [
        Share(a, b, share, 0.0) for a, b, share in zip(chain, chain[1:], shares, strict=False)
    ]
    arrows += [Share("ampa", "outcome", 0.26, 0.0), Share("translation", "ampa", -0.12, 0.0)]
    return arrows, chain


def drawn_pathway(size):
    """Return the pathway of a made-up explanation."""
    arrows, chain = explained()
    found = Explanation("outcome.mood@24h", "1", 0.6, 0.49, (), tuple(arrows))
    return pathway.draw(found, chain[1:], style=size)


def indices():
    """Return elementary effects of two read-outs by a dozen numbers with long names."""
    model = ks.models.antidepressant()
    names = [*sorted(model.parameters, key=lambda one: -len(model.meaning(one)))[:11], "nmda"]
    sizes = np.linspace(1.0, 0.1, 24).reshape(2, 12)
    coords = {"readout": ["spines.change", "score.change"], "factor": names}
    columns = {
        f"mu_star{end}": (("readout", "factor"), sizes + shift)
        for end, shift in (("", 0.0), ("_low", -0.08), ("_high", 0.08))
    }
    columns["unit"] = ("readout", ["1", "points"])
    return xr.Dataset(columns, coords, {"method": "morris"})


def slopes():
    """Return elasticities of both signs."""
    table = indices().rename(factor="by", mu_star="elasticity")
    return table.assign(elasticity=table["elasticity"] * np.where(np.arange(12) % 3, 1.0, -1.0))


@cache
def fitted():
    """Return a fit of two clearances."""
    return ks.fit("plasma", free=["pk_s.clearance_70", "pk_r.clearance_70"], starts=2)


def fit_data(size):
    """Return its data."""
    found = fitted()
    best = np.array([found.found.ranked[0].point])
    return fits.data(found.problem, courses(found.problem, best), style=size)


def published(size):
    """Return some of the packaged curves of studies over the model's own."""
    found = ks.curves()
    timed = [i for i, one in enumerate(found.points) if is_timed(one.readout)][::5]
    seen = [(found.points[i].study, replace(found.asked.observations[found.places[i]],
             error=found.points[i].sigma)) for i in timed]  # fmt: skip
    return fits.studies(seen, courses(found.asked, found.asked.guess[None, :]), style=size)


@cache
def judged(count=40, accounts=3):
    """Return what a judgement's pictures are drawn of: packaged findings before some accounts."""
    found = load_folder(folder() / "experiments")[:count]
    rng = np.random.default_rng(1)
    names = ("disinhibition", "hydroxynorketamine", "a hypothesis with a longer name", "opioid",
             "resting", "lhb", "trkb", "a_name_of_ones_own")[:accounts]  # fmt: skip
    who = tuple(
        SimpleNamespace(name=one, predicted=rng.normal(size=len(found)),
                        drawn=rng.normal(size=(len(found), 30))) for one in names
    )  # fmt: skip
    scores = tuple(
        SimpleNamespace(
            evidence=-float(k), each=rng.normal(size=len(found)), interval=(-k - 0.4, -k + 0.4),
            found=SimpleNamespace(each=rng.normal(-k, 0.2, 4)), without=rng.normal(-k, 1.0, 20),
        ) for k in range(accounts)
    )  # fmt: skip
    named = rng.dirichlet(np.ones(accounts), accounts)
    return SimpleNamespace(
        findings=found, hypotheses=who, names=names, scores=scores, missing=(), about={},
        ranking=tuple(range(accounts)), recovery=SimpleNamespace(named=named),
        held_out=np.zeros(len(found), bool), agreement=np.ones((len(found), accounts)),
        unexplained=tuple(range(5)), undecided=tuple(range(5, 12)),
    )  # fmt: skip


def designed():
    """Return experiments of a dozen arms, five read-outs and two group sizes."""
    held = "ampa.antagonist 1 from -30 min, body.deuteration 0.9"
    arms = tuple(
        SimpleNamespace(name=f"mouse, ketamine {dose:g} mg/kg ip, {held}")
        for dose in range(1, 13)
    )  # fmt: skip
    readouts = ("outcome.mood", "spines.density", "bdnf.extracellular", "ampa.surface",
                "circuit.inhibition")  # fmt: skip
    arm, readout, group = (one.ravel() for one in np.meshgrid(range(12), range(5), (8, 16)))
    n = len(arm)
    return Designs(
        arms, readouts, ("disinhibition", "hydroxynorketamine"), (0, 1), {}, (), arm, readout,
        np.full(n, 24.0), group, np.ones(n), np.linspace(0.5, 0.1, n), np.linspace(0.5, 0.1, n),
        np.zeros((n, 2)),
    )  # fmt: skip


def over_points(size):
    """Return predictions over published points."""
    panel = evidence.Panel(
        "Extracellular glutamate", "Time (h)", "% of rest",
        tuple(evidence.Curve(one, [0, 1, 2, 4], [100, 150, 110, 100]) for one in ("rat", "human")),
        (evidence.Point(0.4, 135, 110, 160, "10 mg/kg"),),
        (evidence.Band(90, 110, "back by 2-3 h", 2.0, 4.0),),
    )  # fmt: skip
    return evidence.draw([panel] * 4, style=size)


@cache
def people():
    """Return a small cohort of two trials, with one predicted."""
    asked = load_population("trials")
    some = {one.name: one for one in (*asked.match, *asked.predict)}
    match = (some["murrough2013"], some["daly2018"])
    small = replace(asked, patients=300, cohort=60, match=match, predict=(some["lii2023"],))
    return ks.population(small, threads=1)


def of_people(name):
    """Return what draws one figure of the cohort."""
    return lambda size: patients.of_population(people(), style=size)[name]


@cache
def tried():
    """Return a small trial of three arms, one with a longer name."""
    asked = load_trial("one_infusion", sets=["patients=60", "power.sizes=[40, 80]",
                                             "power.trials=20", "power.wanted=[0.8]"])  # fmt: skip
    return ks.trial(asked, cohort=people(), threads=1)


def of_trial(name):
    """Return what draws one figure of the trial."""
    return lambda size: virtual_trial.of_trial(tried(), style=size)[name]


@cache
def optimised():
    """Return the front of effect and dissociation for one patient and two doses."""
    asked = load_schedule("effect_or_dissociation", sets=[
        "cohort.patients=1", "search.points=3",
    ])  # fmt: skip
    gap, over = (
        Spread("gap", 84.0, 84.0, "h", "same"),
        Spread("duration", 40.0, 40.0, "min", "same"),
    )
    plans = tuple(replace(one, visits=2, gap=gap, duration=over) for one in asked.problem.plans)
    problem = replace(asked.problem, plans=plans)
    found = ks.optimise(replace(asked, problem=problem), starts=1, threads=1)
    return found.chosen, found._courses()


def course(what="human_depressed_iv"):
    """Return a run of three days."""
    return ks.run(what, sets=["output.until=3 d"]).dataset


def drawn_fan(size, kind="fan"):
    """Return the courses of a sweep, with what was done."""
    told = marks(done(ks.config.load("human_depressed_iv").scenario))
    return fan.draw_fan(sweep(), kind=kind, style=size, done=told)


# By module and function: what draws each kind at a style. A kind with several faces has several.
KINDS = {
    "certainty.draw_evidence": lambda size: certainty.draw_evidence(judged(), style=size),
    "certainty.draw_evidence, many": lambda size: certainty.draw_evidence(
        judged(20, 8), style=size
    ),
    "certainty.draw_predictions": lambda size: certainty.draw_predictions(
        judged(), style=size
    ),
    "designs.draw_designs": lambda size: designs.draw_designs(designed(), style=size),
    "evidence.draw": over_points,
    "fan.draw_fan": drawn_fan,
    "fan.draw_fan, spaghetti": lambda size: drawn_fan(size, "spaghetti"),
    "fits.data": fit_data,
    "fits.profiles": lambda size: fits.profiles(
        fitted().profiles, fitted().problem, 0.9, style=size
    ),
    "fits.studies": published,
    "fits.waterfall": lambda size: fits.waterfall(fitted().found, style=size),
    "forest.forest": lambda size: forest.forest(people(), style=size),
    "judgement.draw": lambda size: judgement.draw(judged(), style=size),
    "judgement.draw, many": lambda size: judgement.draw(judged(40, 8), style=size),
    "judgement.sheets": lambda size: judgement.sheets(judged(), style=size),
    "overlay.draw": lambda size: overlay.draw(
        {"a human": course(), "a rat with a name of its own": course("rat_10")}, style=size
    ),
    "pathway.draw": drawn_pathway,
    "patients.response": of_people("response_over_time"),
    "patients.spaghetti": of_people("spaghetti"),
    "patients.traits": of_people("traits"),
    "patients.waterfall": of_people("waterfall"),
    "schedules.draw": lambda size: schedules.draw(*optimised(), style=size),
    "schedules.draw_front": lambda size: schedules.draw_front(optimised()[0], style=size),
    "sensitivity.draw_gradient": lambda size: sensitivity.draw_gradient(slopes(), style=size),
    "sensitivity.draw_heat_map": lambda size: sensitivity.draw_heat_map(indices(), style=size),
    "sensitivity.draw_tornado": lambda size: sensitivity.draw_tornado(indices(), style=size),
    "sweeps.draw_map": lambda size: sweeps.draw_map(sweep(), style=size),
    "sweeps.draw_response": lambda size: sweeps.draw_response(
        sweep().isel(member=slice(0, 21)), x="dosing[0].amount", style=size
    ),
    "timecourse.draw": lambda size: timecourse.draw(course(), style=size),
    "virtual_trial.power": of_trial("power"),
    "virtual_trial.response": of_trial("response_over_time"),
    "virtual_trial.spaghetti": of_trial("spaghetti"),
    "virtual_trial.waterfall": of_trial("waterfall"),
}  # fmt: skip
