"""Short names for what people ask for most, and the full names they stand for."""

from collections.abc import Iterable, Mapping

OBSERVABLES: Mapping[str, str] = {
    "plasma": "plasma.venous",
    "brain": "plasma.brain",
    "nmda_block": "nmda.interneuron_block",
    "gaba": "circuit.gaba",
    "glutamate": "glutamate.extracellular",
    "ampa": "ampa.current",
    "bdnf": "bdnf.extracellular",
    "trkb": "trkb.active",
    "mtor": "translation.mtorc1",
    "proteins": "translation.proteins",
    "spines": "spines.density",
    "function": "outcome.function",
    "score": "outcome.score",
}
TARGETS: Mapping[str, str] = {
    "stress": "stress.stressor",
    "mtorc1": "translation.rapamycin",
    "rapamycin": "translation.rapamycin",
    "anisomycin": "translation.anisomycin",
    "nbqx": "ampa.antagonist",
    "muscimol": "circuit.gaba_agonist",
    "anti_bdnf": "bdnf.antibody",
    "trkb": "trkb.block",
    "naltrexone": "opioid.naltrexone",
}


def full_name(name: str, short: Mapping[str, str], known: Iterable[str]) -> str:
    """Return the full name a short one stands for, or the name itself."""
    return short[name] if name in short and short[name] in known else name


def headlines(recorded: Iterable[str]) -> tuple[str, ...]:
    """Return the recorded names that a short name exists for, in reading order."""
    have = set(recorded)
    return tuple(name for name in OBSERVABLES.values() if name in have)
