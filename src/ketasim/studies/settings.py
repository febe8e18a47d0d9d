"""How a sweep integrates: what decides the numbers, and so what a store insists on."""

from dataclasses import dataclass

from ketasim.engines.limits import Limits
from ketasim.errors import ConfigError, suggest
from ketasim.studies.simulate import check_settings

ENGINES = ("ensemble", "reference")
LIMITS = Limits(steps=100_000, seconds=10.0)  # for one attempt at one member


@dataclass(frozen=True)
class Settings:
    """An engine, its tolerance, and what one attempt at one member may spend.

    Raises
    ------
    ConfigError, SolverError
        When an engine, method or tolerance does not exist.
    """

    engine: str = "ensemble"
    method: str = "LSODA"
    rtol: float = 1e-6
    limits: Limits = LIMITS
    allow_looser: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be carried out."""
        if self.engine not in ENGINES:
            here = ", ".join(ENGINES)
            raise ConfigError(
                f'engine "{self.engine}": no such engine.{suggest(self.engine, ENGINES)} '
                f"Engines here: {here}."
            )
        check_settings(self.method, self.rtol)
        if not (self.limits.steps >= 1 and self.limits.seconds > 0.0):
            raise ConfigError("limits: at least one step and more than 0 s are needed.")
