"""Arms of an experiment: the treated one, and the same one without the drug."""

from collections.abc import Mapping
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

    def scenario(self, model: Model, *, begin: float, end: float, drug: bool = True) -> Scenario:
        """Return this arm as a scenario of a model, with or without the drug.

        It lasts from ``begin`` [h], or its first event where that comes before, to ``end`` [h], or
        its last dose where that goes on beyond.
        """
        protocol = self.treated if drug else self.control
        last = max((one.stop for one in protocol.doses), default=end)
        return Scenario(
            model.with_values(self.values) if self.values else model,
            protocol,
            (begin, max(end, last)),
            self.subject,
            name="treated" if drug else "control",
        )
