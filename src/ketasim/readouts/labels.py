"""What a read-out is called, which is also the name of its column and its folder in a store."""

import re
from collections.abc import Iterable

from ketasim.errors import ConfigError

BOOKKEEPING = ("time", "member", "status", "steps", "rtol")
_VALID = re.compile(r"[\w.()+\-, %@]{1,200}")


def split_list(text: str) -> list[str]:
    """Split at the commas that stand outside brackets; empty parts are left out."""
    parts, depth, begin = [], 0, 0
    for place, letter in enumerate(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append(text[begin:place])
            begin = place + 1
    return [part.strip() for part in (*parts, text[begin:]) if part.strip()]


def label_of(text: str) -> str:
    """Return the label of a formula without one: a slash would make two folders of it."""
    plain = re.sub(r"\s*/\s*", " per ", text.strip())
    plain = re.sub(r"\s*\*\s*", " times ", plain).strip()
    return re.sub(r"\s*,\s*", ",", re.sub(r"\(\s*|\s*\)", lambda m: m[0].strip(), plain))


def check_labels(labels: Iterable[str], *, taken: Iterable[str] = ()) -> None:
    """Refuse labels that cannot name a column of a store, or that name another one already.

    Parameters
    ----------
    labels
        What the read-outs are called.
    taken
        Names that stand for something else there: varied parameters, coordinates, recorded time
        courses. Bookkeeping columns (``time``, ``member``, ``status``, ``steps``, ``rtol``) are
        always among them.

    Raises
    ------
    ConfigError
        When a label is not valid, is taken, or stands twice; the sentence says how to rename it.
    """
    others, seen = {*BOOKKEEPING, *taken}, set[str]()
    for label in labels:
        shown = label.strip()[:60]
        if not _VALID.fullmatch(label) or label.strip(".") != label:
            raise ConfigError(f'"{shown}" cannot name a read-out; name it: x = ...')
        if label in others:
            raise ConfigError(
                f'"{shown}" is the name of something else there; call the read-out otherwise: '
                "x = ..."
            )
        if label in seen:
            raise ConfigError(f'two read-outs are called "{shown}"; name one otherwise: x = ...')
        seen.add(label)
