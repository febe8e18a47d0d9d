"""From a dose of ketamine to receptors, signals, synapses and mood.

>>> import ketasim as ks
>>> week = ks.Scenario(ks.models.antidepressant(), ks.infusion("0.5 mg/kg", over="40 min"),
...                    ks.hours(0, 168, every=0.5), subject=ks.human(weight="70 kg"))
>>> run = ks.simulate(week)

Every name below loads on first use, so that ``import ketasim`` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ketasim import config, export, models
    from ketasim.config.judging import judge
    from ketasim.core.protocol import Protocol, bath, bolus, dose, hold, infusion, repeat
    from ketasim.core.scenario import Scenario, Subject, hours, until
    from ketasim.models.subjects import human, mouse, rat
    from ketasim.studies import designs
    from ketasim.studies.laws import compare_laws
    from ketasim.studies.simulate import simulate
    from ketasim.studies.sweep import sweep

__version__ = "0.1.0"

__all__ = [
    "Protocol",
    "Scenario",
    "Subject",
    "__version__",
    "bath",
    "bolus",
    "compare_laws",
    "config",
    "designs",
    "dose",
    "export",
    "hold",
    "hours",
    "human",
    "infusion",
    "judge",
    "models",
    "mouse",
    "rat",
    "repeat",
    "simulate",
    "sweep",
    "until",
]

_MODULES = {
    "config": "ketasim.config",
    "designs": "ketasim.studies.designs",
    "export": "ketasim.export",
    "models": "ketasim.models",
}
_HOMES = {
    "ketasim.config.judging": ("judge",),
    "ketasim.core.protocol": ("Protocol", "bath", "bolus", "dose", "hold", "infusion", "repeat"),
    "ketasim.core.scenario": ("Scenario", "Subject", "hours", "until"),
    "ketasim.models.subjects": ("human", "mouse", "rat"),
    "ketasim.studies.laws": ("compare_laws",),
    "ketasim.studies.simulate": ("simulate",),
    "ketasim.studies.sweep": ("sweep",),
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
