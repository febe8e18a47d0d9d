"""A COMBINE archive: the model, how to run it, what came out, and who made it."""

import csv
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import xarray as xr

from ketasim import __version__
from ketasim.core.scenario import Scenario
from ketasim.errors import ConfigError
from ketasim.export.document import sbml
from ketasim.export.sedml import sedml
from ketasim.export.xml import element, words, written
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
