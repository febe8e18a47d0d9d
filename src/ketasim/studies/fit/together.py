"""What many searches ask at once, answered as one batch.

A search asks for one point, or for the few around it, and waits. An ensemble engine is fastest when
it is asked for hundreds. So searches that run side by side meet here: once every one of them waits,
their points are put together, and each gets its own rows back. A run's bits depend on that run
only, so no number depends on who else asked.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.int8]
Answer = tuple[Array, Codes]
Ask = Callable[[Array], Answer]


@dataclass(eq=False)
class _Asked:
    """Points (n, n_free) that somebody waits for, and what became of them."""

    points: Array
    answer: Answer | BaseException | None = None


@dataclass
class Together:
    """Answers of one function of points, to several threads at once.

    ``evaluate`` takes points (n, n_free) and gives values (n, ...) and codes (n,), row by row.
    """

    evaluate: Ask
    searching: int = 0
    waiting: list[_Asked] = field(default_factory=list)
    changed: Condition = field(default_factory=Condition)

    @contextmanager
    def search(self) -> Iterator[Ask]:
        """Count this thread among those that ask until it leaves; gives what it asks with."""
        with self.changed:
            self.searching += 1
        try:
            yield self._ask
        finally:
            with self.changed:
                self.searching -= 1
                self._serve()

    def _ask(self, points: Array) -> Answer:
        own = _Asked(points)
        with self.changed:
            self.waiting.append(own)
            self._serve()
            while own.answer is None:
                self.changed.wait()
        if isinstance(own.answer, BaseException):
            raise own.answer
        return own.answer

    def _serve(self) -> None:
        """Answer everybody, once all who search wait."""
        if not self.waiting or len(self.waiting) < self.searching:
            return
        asked, self.waiting = self.waiting, []
        ends = np.cumsum([len(one.points) for one in asked])[:-1]
        try:
            values, codes = self.evaluate(np.concatenate([one.points for one in asked]))
            parts = zip(asked, np.split(values, ends), np.split(codes, ends), strict=True)
            for one, own, code in parts:
                one.answer = own, code
        except BaseException as error:
            for one in asked:
                one.answer = error
        self.changed.notify_all()
