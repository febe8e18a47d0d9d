"""What identifies a run or a sweep, told by every result."""

from collections.abc import Mapping
from typing import Any

from ketasim import __version__
from ketasim.core.describe import told
from ketasim.core.scenario import Scenario
from ketasim.studies.cautions import cautions_of, kept


def provenance(scenario: Scenario) -> Mapping[str, Any]:
    """Return what identifies a run: version, model and digest, subject, name, and cautions."""
    model = scenario.resolved_model
    edits = {name: f"{value:g} {text}" for name, (value, text) in model.edits.items()}
    return {
        "ketasim_version": __version__,
        "model": model.name,
        "model_digest": model.digest,
        "parameter_changes": "; ".join(f"{name} = {text}" for name, text in edits.items()),
        "scenario_name": scenario.name,
        "species": scenario.subject.species,
        "weight_kg": scenario.subject.weight,
        "cautions": kept(cautions_of(scenario)),
        **told(model),
    }
