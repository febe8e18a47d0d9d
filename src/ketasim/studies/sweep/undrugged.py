"""The same members without drug: no dose, no bath, and everything else as in the design."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ketasim.core.protocol import Bath, Dose, Protocol
from ketasim.core.schedule import Schedule
from ketasim.studies.designs.columns import Columns

Array = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True)
class Undrugged:
    """The columns of a design that are left once no drug is given."""

    drugged: Columns

    @cached_property
    def _left(self) -> list[int]:
        names = self.drugged.design.names
        return [k for k, name in enumerate(names) if not name.startswith(("dosing[", "bath["))]

    @cached_property
    def columns(self) -> Columns:
        """Return what is left, bound to the scenario without its doses and baths."""
        design, left = self.drugged.design, self._left
        protocol = self.drugged.scenario.protocol
        others = tuple(e for e in protocol.events if not isinstance(e, Dose | Bath))
        return Columns(
            self.drugged.scenario.with_protocol(Protocol(others)),
            replace(
                design,
                names=tuple(design.names[k] for k in left),
                units=tuple(design.units[k] for k in left),
                limits=(None,) * len(left),
                reach=(None,) * len(left),
            ),
        )

    def members(self, rows: Array) -> tuple[Array, "Schedule | list[Schedule]", Places]:
        """Return parameters and schedules of those that differ, and which one each row has.

        ``rows`` (n, n_names) are within their domain. Members that differ in their drug only share
        one undrugged twin.
        """
        left = np.ascontiguousarray(rows[:, self._left])
        known: dict[bytes, int] = {}
        which = np.array([known.setdefault(row.tobytes(), len(known)) for row in left])
        firsts = np.unique(which, return_index=True)[1]
        parameters, fine = self.columns.parameters(left[firsts])
        return parameters, self.columns.schedules(left[firsts], fine), which
