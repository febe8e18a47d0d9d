"""The gates of the house: ``nox`` runs them all but the slow, ``nox -s NAME`` one."""

import nox

nox.options.sessions = ["lint", "types", "tests", "regenerate"]
nox.options.error_on_missing_interpreters = False
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
FOLDERS = ["src", "tests", "benchmarks", "scripts"]


@nox.session
def lint(session: nox.Session) -> None:
    """Style, format, and that no floor imports from above."""
    session.install("-e", ".[dev]")
    session.run("ruff", "check", *FOLDERS)
    session.run("ruff", "format", "--check", *FOLDERS)
    session.run("lint-imports", "--no-cache")


@nox.session
def types(session: nox.Session) -> None:
    """Types, strictly."""
    session.install("-e", ".[dev]")
    session.run("mypy")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Every test but the slow, on every Python at hand."""
    session.install("-e", ".[dev]")
    session.run("pytest", "-n", "2", *session.posargs)


@nox.session
def lowest(session: nox.Session) -> None:
    """Every test with the lowest versions that pyproject.toml promises.

    An old package beside a new one warns of things that are not ours: here that fails no test.
    """
    session.install("uv")
    session.run("uv", "pip", "install", "--resolution", "lowest-direct", "-e", ".[dev]")
    session.run("pytest", "-n", "2", "-o", "filterwarnings=default", *session.posargs)


@nox.session
def newest(session: nox.Session) -> None:
    """Every test with the newest versions there are."""
    session.install("uv")
    session.run("uv", "pip", "install", "--upgrade", "-e", ".[dev]")
    session.run("pytest", "-n", "2", *session.posargs)


@nox.session
def floor(session: nox.Session) -> None:
    """Does an installation with the lowest versions work at all? A minute."""
    session.install("uv")
    session.run("uv", "pip", "install", "--resolution", "lowest-direct", ".")
    session.run("python", "scripts/floor.py", *_written(session, "lowest"))


@nox.session(python=PYTHONS)
def quick(session: nox.Session) -> None:
    """Does an installation with the newest versions work, on every Python at hand? A minute each.

    ``nox -s floor quick -- --write`` says in docs/reliability.md what worked.
    """
    session.install(".")
    session.run("python", "scripts/floor.py", *_written(session, "newest"))


def _written(session: nox.Session, which: str) -> tuple[str, ...]:
    return ("--write", which) if "--write" in session.posargs else ()


@nox.session
def science(session: nox.Session) -> None:
    """Does the model show what was published? The slow tests too."""
    session.install("-e", ".[dev]")
    session.run("pytest", "-m", "science or slow", "-n", "2", *session.posargs)


@nox.session
def regenerate(session: nox.Session) -> None:
    """Is everything generated up to date? ``nox -s regenerate -- card`` writes the card."""
    session.install("-e", ".[dev]")
    session.run("python", "scripts/regenerate.py", *(session.posargs or ["--check"]))


@nox.session
def bench(session: nox.Session) -> None:
    """The engine beside its peers; give it a quiet machine."""
    session.install("-e", ".[dev]")
    session.run("python", "benchmarks/engines.py", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation site: every page executed, no warning let pass, its own links checked."""
    session.install("-e", ".[docs]")
    session.run("sphinx-build", "-W", "--keep-going", "-b", "html", "docs", "docs/_build/html")
    session.run("python", "scripts/links.py", "docs/_build/html")
