"""The configurations that come with the package, at the top of the source tree or in the wheel."""

from pathlib import Path

import ketasim


def folder() -> Path:
    """Return the folder of the configurations that come with the package."""
    here = Path(ketasim.__file__).parent
    inside = here / "configs"
    return inside if inside.is_dir() else here.parents[1] / "configs"


def configs() -> dict[str, str]:
    """Return each packaged configuration's name and the comment in its first line."""
    return {one.stem: _title(one) for one in sorted(folder().glob("*.toml"))}


def find(name: str) -> Path:
    """Return the path a user means: a file, or else the name of a packaged configuration."""
    path = Path(name)
    packaged = folder() / f"{name.removesuffix('.toml')}.toml"
    plain = path.name == name and name.isprintable()
    return packaged if plain and not path.exists() and packaged.is_file() else path


def _title(path: Path) -> str:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    return first.lstrip("# ") if first.startswith("#") else ""
