"""Write the golden numbers of the default run: ``python tests/golden/make.py`` after a change.

Say in the changelog, under Science, which number moved, how much and why.
"""

import json
from pathlib import Path

import ketasim as ks

GOLDEN = Path(__file__).with_name("default.json")
HOURS = (0.0, 2 / 3, 1.0, 2.0, 6.0, 24.0, 72.0, 168.0, 336.0)
NAMES = (
    "plasma.arterial",
    "plasma.brain",
    "pk_r.brain_hydroxynorketamine",
    "nmda.interneuron_block",
    "circuit.gaba",
    "glutamate.relative",
    "ampa.current",
    "bdnf.extracellular",
    "trkb.signal",
    "translation.mtorc1",
    "translation.proteins",
    "spines.density",
    "spines.fidelity",
    "outcome.function",
    "outcome.score",
)
RTOL = 1e-9  # so that another machine or solver version agrees to more digits than are compared


def scenarios():
    """Return the runs whose numbers are kept."""
    model = ks.models.antidepressant()
    infusion = ks.infusion("0.5 mg/kg", over="40 min")
    stress = ks.hold("stress.stressor", 1.0, start="always")
    injection = ks.dose("10 mg/kg", route="ip")
    given = {
        "human": (infusion, ks.human()),
        "human stressed": (infusion + stress, ks.human()),
        "mouse": (injection, ks.mouse()),
    }
    return {
        name: ks.Scenario(model, protocol, HOURS, subject=subject, record=NAMES)
        for name, (protocol, subject) in given.items()
    }


def numbers(scenario):
    """Return the recorded values of one run, in declared units, by name."""
    run = ks.simulate(scenario, engine="reference", rtol=RTOL)
    return {name: run[name].to_numpy()[0].tolist() for name in NAMES}


def main():
    """Write the file anew."""
    found = {name: numbers(scenario) for name, scenario in scenarios().items()}
    GOLDEN.write_text(json.dumps({"hours": HOURS, "runs": found}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
