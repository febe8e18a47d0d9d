"""What follows from a model's mechanisms alone, found out once for all models that have them.

Models that differ in a number share their mechanisms, and so their wiring: whoever changes one
number at a time, by hand or in a loop, must not wait for it again and again.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")
MOST = 64  # sets of mechanisms that are remembered
_KNOWN: "OrderedDict[int, tuple[object, dict[Hashable, Any]]]" = OrderedDict()
_LOCK = Lock()


def remembered(mechanisms: object, key: Hashable, make: Callable[[], T]) -> T:
    """Return what ``make()`` gives, found out once for these very mechanisms and this key."""
    kept = _KNOWN.get(id(mechanisms))
    if kept is None:
        with _LOCK:
            kept = _KNOWN.setdefault(id(mechanisms), (mechanisms, {}))  # alive, so the id is theirs
            while len(_KNOWN) > MOST:
                _KNOWN.popitem(last=False)
    found = kept[1]
    if key not in found:
        found[key] = make()
    made: T = found[key]
    return made


class shared(Generic[T]):
    """A property that is the same for all objects with the same ``mechanisms``."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make, self.__doc__ = make, make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        """Learn the name it goes by."""
        self._key = (owner, name)

    @overload
    def __get__(self, one: None, owner: type) -> "shared[T]": ...
    @overload
    def __get__(self, one: object, owner: type) -> T: ...
    def __get__(self, one: Any, owner: type) -> "shared[T] | T":
        """Return what it is for an object."""
        if one is None:
            return self
        return remembered(one.mechanisms, self._key, lambda: self._make(one))
