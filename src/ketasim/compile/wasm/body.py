"""A program as the body of a function: each line one operation on doubles of one workspace.

A value that is used once is computed where it is used, and any other is kept in a local. What a
program both reads and stores is read at once, so that a store never comes before it.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from ketasim.compile.wasm import code as c

Place = tuple[int, int, bool, bool]  # offset, step, whether a call shifts it, whether it is fixed
DEEPEST = 60  # operations inside one another
SHIFT, ENTRY, FIRST = 0, 1, 2  # locals: the argument, the entry in bytes, the first real one
_PLAIN = {
    "add": c.ADD, "sub": c.SUB, "mul": c.MUL, "div": c.DIV, "max": c.MAX, "min": c.MIN,
    "neg": c.NEG, "abs": c.ABS, "sqrt": c.SQRT,
}  # fmt: skip
_RECIPROCALS = ("recip", "inverse", "rough")


def written(
    text: str, layout: Mapping[str, Place], calls: Mapping[str, int], *, repeat: int = 1
) -> bytes:
    """Return the function ``f(shift)`` of a program; ``shift`` is in bytes.

    Parameters
    ----------
    layout
        Where arrays lie in the workspace, as ``compile/writer.py`` has it for one lane.
    calls
        The numbers of the functions that stand for operations.
    repeat
        For how many consecutive entries of every array that is not fixed the program runs.

    Raises
    ------
    KeyError
        When an operation or an array is unknown.
    """
    body = _Body(layout, calls, repeats=repeat > 1)
    body.read(text)
    code = body.code()
    if repeat > 1:
        again = c.get(ENTRY) + c.index(8) + c.INDEX_ADD + c.keep(ENTRY)
        again += c.index(8 * repeat) + c.INDEX_BELOW + c.BRANCH_IF + c.unsigned(0)
        code = c.LOOP + code + again + c.END
    return c.function(code, indices=1, reals=len(body.slots))


@dataclass
class _Value:
    """An operation and the values it takes; of ``load`` and ``number``, what it names."""

    operation: str
    arguments: tuple[int, ...] = ()
    word: str = ""
    depth: int = 0


@dataclass
class _Body:
    """One program: its values, each made once, and what is to be done in order."""

    layout: Mapping[str, Place]
    calls: Mapping[str, int]
    repeats: bool
    values: list[_Value] = field(default_factory=list)
    orders: list[tuple[str, int]] = field(default_factory=list)  # a word to store, or "" to keep
    uses: Counter[int] = field(default_factory=Counter)
    slots: dict[int, int] = field(default_factory=dict)

    def read(self, text: str) -> None:
        """Take a program apart; a name may be given to one value after another."""
        lines = [line.split() for line in text.splitlines() if line.strip()]
        stored = {words[0] for words in lines if words[1] == "<"}
        known: dict[str, int] = {}

        def value(word: str) -> int:
            if word not in known:
                kind = "number" if word[0] == "#" else "load"
                known[word] = self._new(_Value(kind, word=word))
                if word in stored:
                    self.orders.append(("", known[word]))
            self.uses[known[word]] += 1
            return known[word]

        for name, sign, *rest in lines:
            if sign == "<":
                known[name] = value(rest[0])
                self.orders.append((name, known[name]))
                continue
            given = tuple(value(word) for word in rest[1:])
            depth = 1 + max((self.values[one].depth for one in given), default=0)
            known[name] = self._new(_Value(rest[0], given, depth=depth))
            if depth > DEEPEST:
                self.values[known[name]].depth = 0
                self.orders.append(("", known[name]))

    def _new(self, value: _Value) -> int:
        self.values.append(value)
        return len(self.values) - 1

    def code(self) -> bytes:
        """Return the instructions."""
        parts = []
        for word, at in self.orders:
            if word:
                address, place = self._where(word)
                parts.append(address + self._pushed(at) + c.store(place))
            elif self.uses[at] and at not in self.slots:
                made = self._made(self.values[at])
                parts.append(made + c.put(self._slot(at)))
        return b"".join(parts)

    def _slot(self, at: int) -> int:
        return self.slots.setdefault(at, FIRST + len(self.slots))

    def _pushed(self, at: int) -> bytes:
        if at in self.slots:
            return c.get(self.slots[at])
        value = self.values[at]
        made = self._made(value)
        once = self.uses[at] == 1 or value.operation == "number"
        return made if once else made + c.keep(self._slot(at))

    def _made(self, value: _Value) -> bytes:
        name = value.operation
        if name == "number":
            return c.number(float(value.word[1:]))
        if name == "load":
            address, place = self._where(value.word)
            return address + c.load(place)
        if name == "where":  # of a >= b, yes, no
            a, b, yes, no = value.arguments
            pushed = [self._pushed(one) for one in (yes, no, a, b)]
            return b"".join(pushed) + c.AT_LEAST + c.SELECT
        if name == "power_of":  # a product, and what it is a power of
            return self._pushed(value.arguments[0])
        ahead = c.number(1.0) if name in _RECIPROCALS else b""
        given = [self._pushed(one) for one in value.arguments]
        if name == "fma":
            return given[0] + given[1] + c.MUL + given[2] + c.ADD
        own = c.DIV if ahead else _PLAIN.get(name) or c.call(self.calls[name])
        return ahead + b"".join(given) + own

    def _where(self, word: str) -> tuple[bytes, int]:
        """Return the address that an array's entries are counted from, and the entry."""
        array, _, entry = word.partition(":")
        offset, step, moves, fixed = self.layout[array]
        parts = [c.get(SHIFT)] * moves + [c.get(ENTRY)] * (self.repeats and not fixed)
        address = c.index(0) if not parts else parts[0]
        if len(parts) > 1:
            address += parts[1] + c.INDEX_ADD
        return address, offset + int(entry) * step
