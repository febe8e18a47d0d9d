"""Settings of the benchmarks: ``pytest benchmarks`` runs them."""

import pytest

from ketasim.models import antidepressant


@pytest.fixture(scope="session")
def model():
    """Return the default model."""
    return antidepressant()
