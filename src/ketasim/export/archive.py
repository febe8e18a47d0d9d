"""A COMBINE archive: the model, how to run it (SED-ML), what came out, and who made it."""

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping
from math import ceil
from pathlib import Path

import numpy as np
import xarray as xr

from ketasim import __version__
from ketasim.core.scenario import Scenario
from ketasim.errors import ConfigError
from ketasim.export import xml
from ketasim.export.document import sbml
from ketasim.export.names import CLOCK, canonical, identifier
from ketasim.export.xml import MATHML, SBML, Element, element, number, words, written
from ketasim.results.folder import timecourse

_COMBINE = "http://identifiers.org/combine.specifications/"
_MEDIA = "http://purl.org/NET/mediatypes/"
_FORMATS = {
    ".xml": f"{_COMBINE}sbml.level-3.version-2",
    ".sedml": f"{_COMBINE}sed-ml.level-1.version-3",
    ".rdf": f"{_COMBINE}omex-metadata",
    ".csv": f"{_MEDIA}text/csv",
    ".toml": f"{_MEDIA}application/toml",
    ".png": f"{_MEDIA}image/png",
    ".txt": f"{_MEDIA}text/plain",
}
MODEL, FIGURE, RESULT, METADATA = "model.xml", "figure.sedml", "result.csv", "metadata.rdf"
_EPOCH = (1980, 1, 1, 0, 0, 0)
SEDML = "http://sed-ml.org/sed-ml/level1/version3"
MOST_POINTS = 20_000
LSODA, RELATIVE, ABSOLUTE = "KISAO:0000560", "KISAO:0000209", "KISAO:0000211"
RTOL, ATOL = 1e-9, 1e-12


def omex(
    scenario: Scenario,
    path: Path,
    *,
    result: xr.Dataset | None = None,
    names: tuple[str, ...] = (),
    files: Mapping[str, bytes] | None = None,
) -> Path:
    """Write a scenario as a COMBINE archive; the same scenario gives the same bytes.

    Parameters
    ----------
    result
        The Dataset of ``simulate(scenario)``, written as ``result.csv``.
    names
        What to plot; everything recorded when empty.
    files
        Further files by name, such as the configuration.

    Raises
    ------
    ConfigError
        When the file cannot be written.
    """
    contents: dict[str, bytes] = {
        MODEL: sbml(scenario).encode(),
        FIGURE: sedml(scenario, names or scenario.recorded).encode(),
        METADATA: _metadata(scenario).encode(),
        **(files or {}),
    }
    if result is not None:
        contents[RESULT] = _table(result)
    try:
        _pack(path, {"manifest.xml": _manifest(tuple(contents)).encode(), **contents})
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror}).") from None
    return path


def _pack(path: Path, contents: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in contents.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)


def _manifest(names: tuple[str, ...]) -> str:
    entries = [element("content", location=".", format=f"{_COMBINE}omex")]
    entries.append(element("content", location="./manifest.xml", format=f"{_COMBINE}omex-manifest"))
    for name in names:
        kind = _FORMATS.get(Path(name).suffix, f"{_MEDIA}application/octet-stream")
        master = {"master": "true"} if name == FIGURE else {}
        entries.append(element("content", location=f"./{name}", format=kind, **master))
    return written(element("omexManifest", *entries, xmlns=f"{_COMBINE}omex-manifest"))


def _metadata(scenario: Scenario) -> str:
    model = scenario.resolved_model
    about = element(
        "rdf:Description",
        words("dcterms:title", scenario.name),
        words(
            "dcterms:description",
            f"{model.name} ({model.digest}), {scenario.subject.species}, "
            f"{scenario.subject.weight:g} kg, written by ketasim {__version__}",
        ),
        **{"rdf:about": "."},
    )
    names = {
        "xmlns:rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "xmlns:dcterms": "http://purl.org/dc/terms/",
    }
    return written(element("rdf:RDF", about, **names))


def _table(result: xr.Dataset) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(timecourse(result))
    return text.getvalue().encode()


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
        element("math", xml.name(f"var_{own}"), xmlns=MATHML),
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
