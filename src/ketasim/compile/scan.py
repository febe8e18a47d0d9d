"""Numbers taken of a member while it runs: extremes, areas, times above a level, crossings.

The text below the marker is copied into every generated module, beneath its numbers and programs.
A *panel* is a stretch of one accepted step with a value at its ends and at three places between,
evenly spaced; the curve through the five is of degree four, as the method's own dense output is.
``at`` runs over a panel from 0 to 4. What an unfinished answer needs lies in ``s`` from ``a`` on.

``ketasim.readouts.course`` computes the same answers from a whole course with NumPy; the tests hold
one against the other.
"""
# mypy: ignore-errors
# ruff: noqa: D103, F821, SIM109

import numpy as np

W = 8  # lanes; in a generated module, its own

# --- copied from here
AT, START, PEAK, TROUGH, AREA, ABOVE, BELOW, REACHES, FALLS = range(9)
# Rows of an unfinished answer, each a number of every lane: the answer and its time; then, of
# extremes, the value at that time, the lowest so far, and whether the course has left that hill; of
# crossings, the side it was on; whether it has begun; and whether a step is still to be taken in.
ROOM = 8
BEST, WHEN, THERE, LOWEST, LEFT, SIDE, BEGUN, TO_DO = range(0, ROOM * W, W)
MOST_TRIES = 60
CLOSE = 1e-14  # of a panel: a place is known well enough


def curve(v):
    """Return the coefficients of the quartic through five values."""
    d1 = v[1] - v[0]
    d2 = v[2] - 2.0 * v[1] + v[0]
    d3 = v[3] - 3.0 * v[2] + 3.0 * v[1] - v[0]
    d4 = v[4] - 4.0 * v[3] + 6.0 * v[2] - 4.0 * v[1] + v[0]
    first = d1 - d2 / 2.0 + d3 / 3.0 - d4 / 4.0
    second = d2 / 2.0 - d3 / 2.0 + d4 * (11.0 / 24.0)
    return v[0], first, second, d3 / 6.0 - d4 / 4.0, d4 / 24.0


def height(c, at):
    return c[0] + at * (c[1] + at * (c[2] + at * (c[3] + at * c[4])))


def slope(c, at):
    return c[1] + at * (2.0 * c[2] + at * (3.0 * c[3] + at * 4.0 * c[4]))


def inside(low, high, at):
    """Return a place if it lies between two, else the middle of them."""
    return at if low < at < high else 0.5 * (low + high)


def turning(c, i):
    """Return where the curve turns between two neighbouring places, or -1."""
    low, high = float(i), float(i + 1)
    f_low = slope(c, low)
    if not f_low * slope(c, high) < 0.0:
        return -1.0
    at = 0.5 * (low + high)
    for _ in range(MOST_TRIES):
        f = slope(c, at)
        if f * f_low > 0.0:
            low = at
        else:
            high = at
        bend = 2.0 * c[2] + at * (6.0 * c[3] + at * 12.0 * c[4])
        before, at = at, inside(low, high, at - f / bend)
        if abs(at - before) <= CLOSE:
            break
    return at


def crossing(c, level, low, high):
    """Return where the curve passes a level on a stretch on which it only rises or only falls."""
    below = height(c, low) < level
    at = 0.5 * (low + high)
    for _ in range(MOST_TRIES):
        f = height(c, at) - level
        if (f < 0.0) == below:
            low = at
        else:
            high = at
        before, at = at, inside(low, high, at - f / slope(c, at))
        if abs(at - before) <= CLOSE:
            break
    return at


def offer(s, a, sign, t, v):
    """Take a value as the extreme so far; of hills alike, the first keeps the time."""
    height_ = sign * v
    if s[a + BEGUN] == 0.0:
        s[a + BEGUN] = 1.0
        s[a + BEST], s[a + THERE], s[a + LOWEST] = height_, height_, height_
        s[a + WHEN] = t
        return
    s[a + LOWEST] = min(s[a + LOWEST], height_)
    tie = TIE * (max(height_, s[a + THERE]) - s[a + LOWEST])
    if height_ > s[a + THERE] and (s[a + LEFT] == 0.0 or height_ > s[a + THERE] + tie):
        s[a + WHEN], s[a + THERE], s[a + LEFT] = t, height_, 0.0
    elif height_ < s[a + THERE] - tie:
        s[a + LEFT] = 1.0
    s[a + BEST] = max(s[a + BEST], height_)


def cross(s, a, c, v, level, t, quarter):
    """Look for the first place at which a course is no longer on the side it began on."""
    if s[a + BEGUN] == 0.0:
        s[a + BEGUN] = 1.0
        s[a + SIDE] = np.sign(v[0] - level)
        s[a + BEST] = t if s[a + SIDE] == 0.0 else np.nan
        s[a + LEFT] = 1.0 if s[a + SIDE] == 0.0 else 0.0
    if s[a + LEFT] == 1.0:
        return
    if np.sign(v[0] - level) != s[a + SIDE]:
        s[a + BEST], s[a + LEFT] = t, 1.0
        return
    for i in range(4):
        low, middle = float(i), turning(c, i)
        for half in range(2):
            high = middle if half == 0 else float(i + 1)
            if high < 0.0:
                continue
            end = v[i + 1] if half == 1 else height(c, high)
            if np.sign(end - level) != s[a + SIDE]:
                s[a + BEST], s[a + LEFT] = t + quarter * crossing(c, level, low, high), 1.0
                return
            low = high


def stay(c, level, sign):
    """Return for how much of a panel (0 to 4) a curve lies on one side of a level."""
    found = 0.0
    for i in range(4):
        low, middle = float(i), turning(c, i)
        for half in range(2):
            high = middle if half == 0 else float(i + 1)
            if high < 0.0:
                continue
            before, after = sign * (height(c, low) - level), sign * (height(c, high) - level)
            if before > 0.0 and after > 0.0:
                found += high - low
            elif before > 0.0 or after > 0.0:
                where = crossing(c, level, low, high)
                found += where - low if before > 0.0 else high - where
            low = high
    return found


def feed(s, a, kind, t, length, v, level, after, exact):
    """Take a panel into account; return where (from ``after``) a true value is wanted, or -1.

    ``t`` is its beginning and ``length`` its length [h]. Where the value is a state the curve is
    the solution itself (``exact``); otherwise the top of the curve is where to look again.
    """
    if kind == AREA:
        ends, inner = 7.0 * (v[0] + v[4]), 32.0 * (v[1] + v[3])
        s[a + BEST] += length * (ends + inner + 12.0 * v[2]) / 90.0
        return -1.0
    high = max(max(max(v[0], v[1]), max(v[2], v[3])), v[4])
    low = min(min(min(v[0], v[1]), min(v[2], v[3])), v[4])
    reach = high - low  # a quartic through five values goes beyond them by less than their range
    if kind == PEAK:
        return rise(s, a, 1.0, t, length, v, low, high + reach, after, exact)
    if kind == TROUGH:
        return rise(s, a, -1.0, t, length, v, -high, reach - low, after, exact)
    if kind == ABOVE or kind == BELOW:
        away = low - reach - level if kind == ABOVE else level - high - reach
        beyond = high + reach - level if kind == ABOVE else level - low + reach
        if away > 0.0:
            s[a + BEST] += length
        elif beyond >= 0.0:
            s[a + BEST] += 0.25 * length * stay(curve(v), level, 1.0 if kind == ABOVE else -1.0)
        return -1.0
    near = low - reach <= level and high + reach >= level
    if near or s[a + BEGUN] == 0.0 or np.sign(v[0] - level) != s[a + SIDE]:
        cross(s, a, curve(v), v, level, t, 0.25 * length)
    return -1.0


def rise(s, a, sign, t, length, v, low, most, after, exact):
    """Look for the largest value (of ``sign`` times the course) in a panel; see ``feed``."""
    if after < 0.0 and most < s[a + THERE] and s[a + BEGUN] == 1.0:
        s[a + LOWEST] = min(s[a + LOWEST], low)
        s[a + LEFT] = 1.0
        return -1.0
    c = curve(v)
    quarter, begun = 0.25 * length, slope(c, 0.0)
    last, turns = begun, False
    for i in range(1, 5):
        now = slope(c, float(i))
        turns |= last * now < 0.0
        last = now
    if after < 0.0:
        offer(s, a, sign, t, v[0])
    if not turns:
        offer(s, a, sign, t + length, v[4])
        return -1.0
    for i in range(4):
        place = turning(c, i)
        if place > after and sign * (height(c, place) - v[i]) > 0.0:
            if not exact:
                return place
            offer(s, a, sign, t + quarter * place, height(c, place))
        if i + 1 > after:
            offer(s, a, sign, t + quarter * (i + 1), v[i + 1])
    return -1.0
