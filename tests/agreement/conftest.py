"""Kernels compiled by these tests are kept between runs, in pytest's own cache folder."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def kernel_folder(request, tmp_path_factory):
    kept = getattr(request.config, "cache", None)
    folder = kept.mkdir("kernels") if kept else tmp_path_factory.mktemp("kernels")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KETASIM_CACHE_DIR", str(folder))
        yield folder
