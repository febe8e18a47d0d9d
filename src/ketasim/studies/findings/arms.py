"""Arms of an experiment: the treated one, and the same one without the drug."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ketasim.core.model import Model
from ketasim.core.protocol import Protocol
from ketasim.core.scenario import Scenario, Subject


@dataclass(frozen=True)
class Arm:
    """A subject, what is done to it, and what of that remains in the undrugged control.

    ``control`` keeps stress, knock-outs and antagonists, and leaves out doses, baths and whatever
    stands for the drug; ``values`` are parameters in which this arm's subject differs.
    """

    subject: Subject
    treated: Protocol
    control: Protocol
    values: Mapping[str, str | float] = field(default_factory=dict)

    def scenario(
        self, model: Model, times: tuple[float, ...], record: Iterable[str], *, drug: bool = True
    ) -> Scenario:
        """Return this arm as a scenario of a model, with or without the drug."""
        return Scenario(
            model.with_values(self.values) if self.values else model,
            self.treated if drug else self.control,
            times,
            self.subject,
            tuple(sorted(set(record))),
            "treated" if drug else "control",
        )
