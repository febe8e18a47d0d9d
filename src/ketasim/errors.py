"""What can go wrong, and the sentence each one owes the reader."""

from collections.abc import Iterable
from difflib import get_close_matches


class KetasimError(Exception):
    """Base of every error a user can cause; the command line prints it and exits 2."""

    exit_code = 2


class UnitError(KetasimError, ValueError):
    """A unit is missing, unknown, or of the wrong dimension."""


class ModelError(KetasimError, ValueError):
    """A mechanism or model does not fit together, or a parameter value is out of its domain."""


class ProtocolError(KetasimError, ValueError):
    """A dose, window or time of a protocol cannot be carried out."""


class ConfigError(KetasimError, ValueError):
    """A configuration file says something that cannot be understood."""


class SolverError(KetasimError, RuntimeError):
    """Integration stopped, or its result broke a conservation law."""


class MissingValues(KetasimError, ValueError):
    """Members without a value stand in the way of what is computed from all of them."""


class MissingExtra(KetasimError, ImportError):
    """An optional dependency is needed."""


class ClusterError(KetasimError, ConnectionError):
    """A cluster that was at work no longer answers; what it wrote is whole."""


class KetasimWarning(UserWarning):
    """Something is allowed but probably not meant: an unusual dose, an implausible value."""


def suggest(name: str, known: Iterable[str]) -> str:
    """Return ``' Did you mean "x"?'`` for the nearest known name, or an empty string."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.6)
    if not near:
        near = [one for one in names if one.split(".")[-1] == name.split(".")[-1]][:1]
    return f' Did you mean "{near[0]}"?' if near else ""
