"""One law changed, everything else as it was: both models asked the same question."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import xarray as xr

from ketasim.core.declare import Law
from ketasim.core.scenario import Scenario
from ketasim.errors import ConfigError
from ketasim.studies.simulate import simulate

DEFAULT, CHANGED = "default", "changed"


def compare_laws(
    scenario: Scenario,
    laws: Mapping[str, Law],
    *,
    readouts: Sequence[str] = (),
    engine: str = "reference",
    rtol: float | None = None,
) -> xr.Dataset:
    """Run a scenario as it is and with some laws replaced.

    Parameters
    ----------
    scenario
        What is asked; its recorded names may be short.
    laws
        Law by name, ``{"nmda.bind": my_bind}``; see :meth:`Model.with_law`.
    readouts
        Numbers to read off both, ``"spines@24h"`` or ``"glutamate.peak"``.
    engine, rtol
        As of :func:`ketasim.simulate`.

    Returns
    -------
    xarray.Dataset
        Time courses (variant, time) and read-outs (variant,), in declared units, where ``variant``
        is ``'default'`` and ``'changed'``; ``ketasim.plots.overlay.draw`` draws it.

    Raises
    ------
    ModelError
        When there is no such law, or a new one asks for an undeclared name.
    ConfigError
        When no law is given, or a read-out cannot be read.
    SolverError
        When either cannot be integrated.
    """
    if not laws:
        raise ConfigError('compare_laws: no law is given; write {"mechanism.law": my_law}.')
    model = scenario.model
    for name, law in laws.items():
        model = model.with_law(name, law)
    variants = {DEFAULT: scenario.model, CHANGED: model}
    runs = [
        simulate(replace(scenario, model=one), engine=engine, rtol=rtol, readouts=readouts)
        for one in variants.values()
    ]
    both = xr.concat(
        [run.isel(member=0, drop=True) for run in runs],
        xr.Variable("variant", list(variants), {"long_name": "default, and with the laws changed"}),
        combine_attrs="override",
    ).assign_attrs(changed_laws="; ".join(laws))
    digests = [str(run.attrs["model_digest"]) for run in runs]
    return both.assign({"model_digest": ("variant", digests)})
