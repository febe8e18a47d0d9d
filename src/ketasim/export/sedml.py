"""The scenario's figure as SED-ML: what to run, and a plot for each observable."""

from collections.abc import Iterator
from math import ceil

import numpy as np

from ketasim.core.scenario import Scenario
from ketasim.export import mathml
from ketasim.export.names import CLOCK, identifier
from ketasim.export.units import canonical
from ketasim.export.xml import MATHML, SBML, Element, element, number, written

SEDML = "http://sed-ml.org/sed-ml/level1/version3"
MOST_POINTS = 20_000
LSODA, RELATIVE, ABSOLUTE = "KISAO:0000560", "KISAO:0000209", "KISAO:0000211"
RTOL, ATOL = 1e-9, 1e-12


def sedml(scenario: Scenario, names: tuple[str, ...], *, model: str = "model.xml") -> str:
    """Return a SED-ML document that runs a model file and plots some names over time."""
    shown = (CLOCK, *names)
    root = element(
        "sedML",
        element("listOfSimulations", _time_course(scenario)),
        element(
            "listOfModels",
            element("model", id="model", source=model, language="urn:sedml:language:sbml"),
        ),
        element(
            "listOfTasks",
            element("task", id="task", modelReference="model", simulationReference="simulation"),
        ),
        element("listOfDataGenerators", *(_generator(scenario, one) for one in shown)),
        element("listOfOutputs", *_plots(scenario, names), _report(scenario, shown)),
        **{"xmlns": SEDML, "xmlns:sbml": SBML, "level": "1", "version": "3"},
    )
    return written(root)


def _time_course(scenario: Scenario) -> Element:
    """Return a uniform time course, as fine as the finest step of the scenario's times."""
    edges = scenario.schedule.edges
    span = float(edges[-1] - edges[0])
    points = min(ceil(span / float(np.diff(scenario.times).min())), MOST_POINTS)
    settings = ((RELATIVE, RTOL), (ABSOLUTE, ATOL))
    chosen = (element("algorithmParameter", kisaoID=k, value=number(v)) for k, v in settings)
    algorithm = element("algorithm", element("listOfAlgorithmParameters", *chosen), kisaoID=LSODA)
    return element(
        "uniformTimeCourse",
        algorithm,
        id="simulation",
        initialTime="0",
        outputStartTime="0",
        outputEndTime=number(span),
        numberOfPoints=str(points),
    )


def _generator(scenario: Scenario, full: str) -> Element:
    own = identifier(full)
    target = f"/sbml:sbml/sbml:model/sbml:listOfParameters/sbml:parameter[@id='{own}']"
    variable = element("variable", id=f"var_{own}", taskReference="task", target=target)
    return element(
        "dataGenerator",
        element("listOfVariables", variable),
        element("math", mathml.name(f"var_{own}"), xmlns=MATHML),
        id=f"data_{own}",
        name=_label(scenario, full),
    )


def _label(scenario: Scenario, full: str) -> str:
    """Return a name with its unit in the file: COPASI plots variables as they stand there."""
    return "time [h]" if full == CLOCK else f"{full} [{canonical(scenario.model.unit(full))}]"


def _plots(scenario: Scenario, names: tuple[str, ...]) -> Iterator[Element]:
    for full in names:
        own = identifier(full)
        curve = element(
            "curve",
            id=f"curve_{own}",
            logX="false",
            logY="false",
            xDataReference=f"data_{identifier(CLOCK)}",
            yDataReference=f"data_{own}",
        )
        label = _label(scenario, full)
        yield element("plot2D", element("listOfCurves", curve), id=f"plot_{own}", name=label)


def _report(scenario: Scenario, shown: tuple[str, ...]) -> Element:
    sets = []
    for full in shown:
        own = identifier(full)
        about = {"id": f"set_{own}", "dataReference": f"data_{own}"}
        sets.append(element("dataSet", **about, label=_label(scenario, full)))
    return element("report", element("listOfDataSets", *sets), id="report", name=scenario.name)
