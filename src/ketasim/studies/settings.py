"""How a sweep integrates: what decides the numbers, and so what a store insists on."""

from dataclasses import dataclass

from ketasim.engines.limits import METHODS, Limits
from ketasim.errors import ConfigError, suggest

ENGINES = ("ensemble", "reference")
LIMITS = Limits(steps=100_000, seconds=10.0)  # for one attempt at one member


@dataclass(frozen=True)
class Settings:
    """An engine, its tolerance, and what one attempt at one member may spend.

    Raises
    ------
    ConfigError
        When an engine, method or tolerance does not exist.
    """

    engine: str = "ensemble"
    method: str = "LSODA"
    rtol: float = 1e-6
    limits: Limits = LIMITS
    allow_looser: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be carried out."""
        for key, given, known in (
            ("engine", self.engine, ENGINES),
            ("method", self.method, METHODS),
        ):
            if given not in known:
                raise ConfigError(
                    f'{key} "{given}": no such {key}.{suggest(given, known)} '
                    f"Choose one of {', '.join(known)}."
                )
        if not 1e-12 <= self.rtol <= 1e-2:
            raise ConfigError(f"rtol = {self.rtol:g}: must lie between 1e-12 and 0.01.")
        if not (self.limits.steps >= 1 and self.limits.seconds > 0.0):
            raise ConfigError("limits: at least one step and more than 0 s are needed.")
