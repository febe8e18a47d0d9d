"""Can others open the archive, and does running it give the figure?"""

import zipfile

import numpy as np
import pytest

import ketasim as ks
from ketasim.config import load
from ketasim.errors import ConfigError
from ketasim.export import omex, sbml

SETUP = load("human_depressed_iv", sets=["output.until=2 d"])
NAMES = tuple(SETUP.scenario.model.short_names.values())


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    path = tmp_path_factory.mktemp("omex") / "model.omex"
    return omex(
        SETUP.scenario, path, result=ks.simulate(SETUP.scenario), names=NAMES,
        files={"scenario.toml": b"schema = 1\n"},
    )  # fmt: skip


def test_it_holds_the_model_the_figure_the_result_and_the_metadata(archive):
    with zipfile.ZipFile(archive) as packed:
        names = packed.namelist()
        assert packed.read("model.xml").decode() == sbml(SETUP.scenario)
        table = packed.read("result.csv").decode().splitlines()
    assert names == [
        "manifest.xml", "model.xml", "figure.sedml", "metadata.rdf", "scenario.toml", "result.csv",
    ]  # fmt: skip
    assert table[0].startswith("time [h],")
    assert len(table) == len(SETUP.scenario.times) + 1


def test_the_same_scenario_gives_the_same_bytes(archive, tmp_path):
    again = omex(
        SETUP.scenario, tmp_path / "again.omex", result=ks.simulate(SETUP.scenario), names=NAMES,
        files={"scenario.toml": b"schema = 1\n"},
    )  # fmt: skip
    assert again.read_bytes() == archive.read_bytes()


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(ConfigError, match="cannot be written"):
        omex(SETUP.scenario, tmp_path / "no" / "where.omex")


def test_libcombine_reads_it(archive):
    libcombine = pytest.importorskip("libcombine", reason="the archive is not read by libCOMBINE")
    opened = libcombine.CombineArchive()
    assert opened.initializeFromArchive(str(archive))
    entries = [opened.getEntry(i) for i in range(opened.getNumEntries())]
    formats = {one.getLocation(): one.getFormat().rpartition("/")[2] for one in entries}
    assert formats["./model.xml"] == "sbml.level-3.version-2"
    assert formats["./figure.sedml"] == "sed-ml.level-1.version-3"
    assert opened.getMasterFile().getLocation() == "./figure.sedml"
    assert "antidepressant" in opened.getMetadataForLocation(".").getDescription()
    opened.cleanUp()


def test_libsedml_finds_no_error_and_a_plot_for_each_observable(archive):
    libsedml = pytest.importorskip("libsedml", reason="SED-ML is not read by libSEDML")
    with zipfile.ZipFile(archive) as packed:
        document = libsedml.readSedMLFromString(packed.read("figure.sedml").decode())
    assert document.getNumErrors() == 0
    assert document.getNumOutputs() == len(NAMES) + 1  # and one report
    course = document.getSimulation(0)
    assert course.getOutputEndTime() == 48.0
    label = document.getDataGenerator(1).getName()
    assert label == "plasma.venous [mg/L]"  # the unit in the file, not the declared ng/mL


def test_copasi_opens_it_and_pressing_run_gives_the_figure(archive):
    copasi = pytest.importorskip("COPASI", reason="the archive is not run in COPASI")
    opened = copasi.CRootContainer.addDatamodel()
    assert opened.openCombineArchive(str(archive))
    task = opened.getTask("Time-Course")
    assert task.isScheduled()
    assert opened.getPlotDefinitionList().size() == len(NAMES)
    task.getProblem().setTimeSeriesRequested(True)
    assert task.initializeRaw(copasi.CCopasiTask.OUTPUT_UI)
    assert task.processRaw(True)
    series = task.getTimeSeries()
    columns = {series.getSBMLId(i, opened): i for i in range(series.getNumVariables())}

    def column(name):
        steps = range(series.getRecordedSteps())
        return np.array([series.getData(i, columns[name]) for i in steps])

    ours, clock = ks.simulate(SETUP.scenario, rtol=1e-8), column("protocol__clock")
    for name in ("spines.density", "bdnf.extracellular", "outcome.score"):
        theirs = np.interp(ours["time"], clock, column(name.replace(".", "__")))
        span = np.ptp(ours[name].to_numpy())
        assert np.abs(theirs - ours[name].to_numpy()[0]).max() < 1e-3 * span
    copasi.CRootContainer.removeDatamodel(opened)
