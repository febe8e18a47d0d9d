"""From a dose of ketamine to receptors, signals, synapses and mood.

>>> import ketasim as ks
>>> run = ks.run("human_depressed_iv", sets=["dosing[0].amount=1 mg/kg"])
>>> run.figure
>>> week = ks.Scenario(ks.models.antidepressant(), ks.infusion("0.5 mg/kg", over="40 min"),
...                    ks.hours(0, 168, every=0.5), subject=ks.human(weight="70 kg"))
>>> dataset = ks.simulate(week)

Whatever the command line does has a verb here: ``run``, ``compare``, ``sweep``, ``plan``,
``sensitivity``, ``check``, ``curves``, ``rest``, ``judge``, ``decide``, ``load_data``, ``fit``,
``posterior``, ``population``, ``trial``, ``optimise``, ``explain``, ``gradient``,
``describe``, ``list_...``, ``status``, ``resume``, ``failures``, ``rerun``, ``doctor``,
``app``, ``export.sbml`` and ``plot.timecourse``. Every name loads on first use, so that
``import ketasim`` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ketasim import config, export, models
    from ketasim.config.findings import load_data
    from ketasim.config.judging import decide, judge
    from ketasim.config.petab import load_petab, save_petab
    from ketasim.core.protocol import Protocol, bath, bolus, dose, hold, infusion, repeat
    from ketasim.core.scenario import Scenario, Subject, hours, until
    from ketasim.engines.solve import solve_ivp
    from ketasim.models.subjects import human, monkey, mouse, rat
    from ketasim.studies import designs
    from ketasim.studies.laws import compare_laws
    from ketasim.studies.simulate import simulate
    from ketasim.verbs import plot
    from ketasim.verbs.app import app
    from ketasim.verbs.check import check, check_modules
    from ketasim.verbs.cluster import on_cluster
    from ketasim.verbs.curves import curves
    from ketasim.verbs.evidence import explain, list_experiments, sensitivity
    from ketasim.verbs.fit import fit
    from ketasim.verbs.gradient import gradient
    from ketasim.verbs.inspect import (
        describe,
        doctor,
        list_configs,
        list_drugs,
        list_modules,
        list_parameters,
        list_routes,
        list_states,
        list_targets,
    )
    from ketasim.verbs.optimise import optimise
    from ketasim.verbs.population import population
    from ketasim.verbs.posterior import posterior
    from ketasim.verbs.rest import fast_then_slow, rest
    from ketasim.verbs.run import compare, run
    from ketasim.verbs.stores import failures, rerun, resume, status
    from ketasim.verbs.sweep import plan, sweep
    from ketasim.verbs.virtual_trial import trial

__version__ = "0.1.0"

__all__ = [
    "Protocol",
    "Scenario",
    "Subject",
    "__version__",
    "app",
    "bath",
    "bolus",
    "check",
    "check_modules",
    "compare",
    "compare_laws",
    "config",
    "curves",
    "decide",
    "describe",
    "designs",
    "doctor",
    "dose",
    "explain",
    "export",
    "failures",
    "fast_then_slow",
    "fit",
    "gradient",
    "hold",
    "hours",
    "human",
    "infusion",
    "judge",
    "list_configs",
    "list_drugs",
    "list_experiments",
    "list_modules",
    "list_parameters",
    "list_routes",
    "list_states",
    "list_targets",
    "load_data",
    "load_petab",
    "models",
    "monkey",
    "mouse",
    "on_cluster",
    "optimise",
    "plan",
    "plot",
    "population",
    "posterior",
    "rat",
    "repeat",
    "rerun",
    "rest",
    "resume",
    "run",
    "save_petab",
    "sensitivity",
    "simulate",
    "solve_ivp",
    "status",
    "sweep",
    "trial",
    "until",
]

_MODULES = {
    "config": "ketasim.config",
    "designs": "ketasim.studies.designs",
    "export": "ketasim.export",
    "models": "ketasim.models",
    "plot": "ketasim.verbs.plot",
}
_HOMES = {
    "ketasim.config.findings": ("load_data",),
    "ketasim.config.judging": ("decide", "judge"),
    "ketasim.config.petab": ("load_petab", "save_petab"),
    "ketasim.core.protocol": ("Protocol", "bath", "bolus", "dose", "hold", "infusion", "repeat"),
    "ketasim.core.scenario": ("Scenario", "Subject", "hours", "until"),
    "ketasim.engines.solve": ("solve_ivp",),
    "ketasim.models.subjects": ("human", "monkey", "mouse", "rat"),
    "ketasim.studies.laws": ("compare_laws",),
    "ketasim.studies.simulate": ("simulate",),
    "ketasim.verbs.app": ("app",),
    "ketasim.verbs.cluster": ("on_cluster",),
    "ketasim.verbs.curves": ("curves",),
    "ketasim.verbs.check": ("check", "check_modules"),
    "ketasim.verbs.evidence": ("explain", "list_experiments", "sensitivity"),
    "ketasim.verbs.fit": ("fit",),
    "ketasim.verbs.gradient": ("gradient",),
    "ketasim.verbs.inspect": (
        "describe",
        "doctor",
        "list_configs",
        "list_drugs",
        "list_modules",
        "list_parameters",
        "list_routes",
        "list_states",
        "list_targets",
    ),
    "ketasim.verbs.optimise": ("optimise",),
    "ketasim.verbs.population": ("population",),
    "ketasim.verbs.posterior": ("posterior",),
    "ketasim.verbs.rest": ("fast_then_slow", "rest"),
    "ketasim.verbs.run": ("compare", "run"),
    "ketasim.verbs.stores": ("failures", "rerun", "resume", "status"),
    "ketasim.verbs.sweep": ("plan", "sweep"),
    "ketasim.verbs.virtual_trial": ("trial",),
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use; raises AttributeError for any other."""
    if name in _MODULES:
        found: Any = import_module(_MODULES[name])
    else:
        home = next((home for home, names in _HOMES.items() if name in names), None)
        if home is None:
            raise AttributeError(f"module 'ketasim' has no attribute '{name}'")
        found = getattr(import_module(home), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
