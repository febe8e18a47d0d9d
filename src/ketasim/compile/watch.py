"""Numbers of the whole course, taken of members while they run.

The text below the marker is copied into every generated module, between ``show`` and ``stepper``;
see there for the workspace ``w`` and the whole numbers ``d``. Everything acts on all lanes at once
where it can, since what is read of a step lies at the same shares of it in every lane.
"""
# mypy: ignore-errors
# ruff: noqa: C901, D103, F821, FBT003, SIM109

# --- copied from here
PARTS = 4  # of a step that is looked at more closely


def watch(job, w, d, anchor):
    """Take the accepted steps into every number that is asked of the members."""
    if not wanted(job, w, d, anchor):
        return
    fresh = early = False
    for lane in range(job.n_lanes):
        if w[ACC + lane] > 0.0:
            fresh |= d[STALE * W + lane] == 1
            early |= reaches(w, lane, anchor)
    if job.n_curved > 0:
        if fresh:
            first_place(job, w, d)
        for j in range(1, 5):
            next_place(job, w, j)
    if early:
        note_before(job, w, anchor)
    for lane in range(job.n_lanes):
        if w[ACC + lane] > 0.0:
            d[STALE * W + lane] = 0
    closer = job.n_curved > 0 and bends(job, w, d)
    take(job, w, d, anchor)
    if closer:
        take_parts(job, w, d, anchor)
    for i in range(job.n_curved):
        first, last = place(job, i, 0, 0), place(job, i, 4, 0)
        for lane in range(W):
            if w[ACC + lane] > 0.0:
                job.scratch[first + lane] = job.scratch[last + lane]


def wanted(job, w, d, anchor):
    """Return whether any number concerns an accepted step; else its end is not looked at."""
    if job.n_windowed < job.n_scanned:
        return True
    for lane in range(job.n_lanes):
        if w[ACC + lane] > 0.0 and reaches(w, lane, anchor):
            return True
    for r in range(job.n_numbers):
        first, last = job.windows[2 * r], job.windows[2 * r + 1]
        for lane in range(job.n_lanes):
            if w[ACC + lane] > 0.0 and w[NEW + lane] > first and w[T + lane] < last:
                return True
    for lane in range(job.n_lanes):
        if w[ACC + lane] > 0.0:
            d[STALE * W + lane] = 1
    return False


def reaches(w, lane, anchor):
    return w[T + lane] < anchor and w[NEW + lane] >= anchor


def place(job, i, j, lane):
    """Return where the value of watched ``i`` at place ``j`` of a lane's step is kept.

    Places 0 to 4 are the step's own, 5 to 9 those of a part of it.
    """
    return W * job.n_numbers * ROOM + (i * 10 + j) * W + lane


def first_place(job, w, d):
    """Note the watched values at the beginning of the steps for which it is not known."""
    for lane in range(W):
        w[XS + lane] = 0.0
    look(job, w)
    for i in range(job.n_curved):
        for lane in range(W):
            if d[STALE * W + lane] == 1:
                job.scratch[place(job, i, 0, lane)] = w[job.watched[i] + lane]


def next_place(job, w, j):
    """Note the watched values at one of the further places of every lane's step."""
    for lane in range(W):
        w[XS + lane] = 0.25 * j
    look(job, w)
    for i in range(job.n_curved):
        here, there = job.watched[i], place(job, i, j, 0)
        for lane in range(W):
            job.scratch[there + lane] = w[here + lane]


def note_before(job, w, anchor):
    """Note the values at time 0, before what is done then, in the steps that reach it."""
    for lane in range(job.n_lanes):
        w[XS + lane] = (anchor - w[T + lane]) * w[HINV + lane]
    look(job, w)
    for lane in range(job.n_lanes):
        if w[ACC + lane] > 0.0 and reaches(w, lane, anchor):
            for i in range(job.n_watched):
                job.scratch[before(job, i, lane)] = w[job.watched[i] + lane]


def panel(job, w, lane, first, last):
    """Note the watched values at five places of a part of one lane's step."""
    for j in range(5):
        w[XS + lane] = first + 0.25 * j * (last - first)
        look(job, w)
        for i in range(job.n_watched):
            job.scratch[place(job, i, 5 + j, lane)] = w[job.watched[i] + lane]


def is_exact(job, i):
    """Return whether the curve through a watched value is the solution itself."""
    return job.watched[i] < D1


def five(s, p):
    """Return the five values of a panel of which the first is kept at ``p``."""
    return s[p], s[p + W], s[p + 2 * W], s[p + 3 * W], s[p + 4 * W]


def bends(job, w, d):
    """Mark what bends too sharply within a step, each for itself; say if anything does."""
    s, found = job.scratch, False
    for lane in range(W):
        d[CLOSER * W + lane] = 0
    for i in range(job.n_curved):
        lay_out(job, w, i)
        sharp(w, 0)
        mark = bent(job, i, 0)
        for lane in range(W):
            s[mark + lane] = w[BEND + lane]
        for lane in range(W):
            if w[BEND + lane] > 0.0:
                v = five(s, place(job, i, 0, lane))
                total = v[0] + v[1] + v[2] + v[3] + v[4]
                d[NONE * W + lane] |= total - total != 0.0
                d[CLOSER * W + lane], found = 1, True
    return found


def lay_out(job, w, i):
    """Lay a curved value at the five places of every lane's step out for the programs."""
    first = place(job, i, 0, 0)
    for k in range(5 * W):
        w[V + k] = job.scratch[first + k]


def bent(job, i, lane):
    """Return where it is marked that a watched value bends sharply within a lane's step."""
    return W * (job.n_numbers * ROOM + 11 * job.n_watched) + i * W + lane


def take(job, w, d, anchor):
    """Take the accepted steps into every number."""
    for r in range(job.n_numbers):
        kind = job.kinds[r]
        if kind == AT or kind == START:
            continue
        first, last = job.windows[2 * r], job.windows[2 * r + 1]
        first = max(first, anchor) if kind == FALLS else first
        if kind == PEAK or kind == TROUGH:
            if skim(job, w, r, -1.0 if kind == TROUGH else 1.0, first, last):
                continue
        else:
            mark(job, w, r)
        for lane in range(job.n_lanes):
            t, new = w[T + lane], w[NEW + lane]
            if job.scratch[scratch_at(lane, r) + TO_DO] > 0.0 and new > first and t < last:
                take_step(job, w, d, lane, r, first, last, anchor)


def mark(job, w, r):
    """Mark the accepted steps as still to be taken into a number."""
    a = scratch_at(0, r) + TO_DO
    for lane in range(W):
        job.scratch[a + lane] = w[ACC + lane]


def skim(job, w, r, sign, first, last):
    """Take all steps that only rise or only fall into an extreme; return whether none is left."""
    i, at = job.of[r], job.watched[job.of[r]]
    w[SIGN], w[FROM], w[UNTIL] = sign, first, last
    if not is_exact(job, i):
        lay_out(job, w, i)
        mark = bent(job, i, 0)
        for lane in range(W):
            w[BEND + lane] = job.scratch[mark + lane]
    else:
        for lane in range(W):
            w[BEND + lane] = 0.0
        if at >= Z:
            places(w, at - Z)
        else:
            for k in range(5):
                for lane in range(W):
                    w[V + k * W + lane] = w[at + lane]
    ends(w, r * ROOM * W)
    a, left = scratch_at(0, r) + TO_DO, 0.0
    for lane in range(W):
        left += job.scratch[a + lane]
    return left == 0.0


def take_step(job, w, d, lane, r, first, last, anchor):
    """Take one lane's step into a number, as much of it as lies in the number's window."""
    s, i, kind, t = job.scratch, job.of[r], job.kinds[r], w[T + lane]
    exact = is_exact(job, i)
    if t < first or w[NEW + lane] > last:
        take_window(job, w, d, lane, r, anchor)
    elif exact or s[bent(job, i, lane)] == 0.0:
        v = solution(job, w, i, lane) if exact else five(s, place(job, i, 0, lane))
        level = job.levels[d[MEMBER * W + lane] * job.n_numbers + r]
        if kind == FALLS:
            level = fallen(job, v[0], lane, r, anchor) - level
        seen = feed(s, scratch_at(lane, r), kind, t, w[HS + lane], v, level, -1.0, exact)
        if seen >= 0.0:
            look_again(job, w, lane, r, 0.0, 1.0, v, level, seen)


def solution(job, w, i, lane):
    """Return a state at the five places of a step, from its dense output."""
    at = job.watched[i] - Z
    if at < 0:
        y = w[job.watched[i] + lane]
        return y, y, y, y, y
    y, u = w[Y + at + lane], w[U + at + lane]
    d1, d2, d3 = w[D1 + at + lane], w[D2 + at + lane], w[D3 + at + lane]
    a = 0.75 * y + 0.25 * (u + 0.75 * (d1 + 0.25 * (d2 + 0.25 * d3)))
    b = 0.5 * y + 0.5 * (u + 0.5 * (d1 + 0.5 * (d2 + 0.5 * d3)))
    c = 0.25 * y + 0.75 * (u + 0.25 * (d1 + 0.75 * (d2 + 0.75 * d3)))
    return y, a, b, c, u


def fallen(job, value, lane, r, anchor):
    """Return the level that is reached when a value has fallen far enough."""
    a = scratch_at(lane, r)
    if job.scratch[a + BEGUN] == 0.0:
        windowed = job.windows[2 * r] > anchor
        there = before(job, job.of[r], lane)
        job.scratch[a + LOWEST] = value if windowed else job.scratch[there]
    return job.scratch[a + LOWEST]


def take_parts(job, w, d, anchor):
    """Take steps within which something bends sharply into the numbers, part by part."""
    for lane in range(job.n_lanes):
        if w[ACC + lane] > 0.0 and d[CLOSER * W + lane] == 1:
            for part in range(PARTS):
                first, last = part / PARTS, (part + 1) / PARTS
                panel(job, w, lane, first, last)
                for r in range(job.n_numbers):
                    own = job.scratch[bent(job, job.of[r], lane)] == 1.0
                    if own and covers(job, w, lane, r, anchor):
                        take_panel(job, w, d, lane, r, first, last, anchor)


def covers(job, w, lane, r, anchor):
    """Return whether a number's window covers the whole of a lane's step."""
    if job.kinds[r] == AT or job.kinds[r] == START:
        return False
    first, last = job.windows[2 * r], job.windows[2 * r + 1]
    first = max(first, anchor) if job.kinds[r] == FALLS else first
    return first <= w[T + lane] and last >= w[NEW + lane]


def take_window(job, w, d, lane, r, anchor):
    """Take the part of a lane's step that lies in a number's window."""
    begin_, end = job.windows[2 * r], job.windows[2 * r + 1]
    begin_ = max(begin_, anchor) if job.kinds[r] == FALLS else begin_
    first = max(0.0, (begin_ - w[T + lane]) * w[HINV + lane])
    last = min(1.0, (end - w[T + lane]) * w[HINV + lane])
    panel(job, w, lane, first, last)
    take_panel(job, w, d, lane, r, first, last, anchor)


def take_panel(job, w, d, lane, r, first, last, anchor):
    """Take a part of a lane's step, at whose places values are known, into one number."""
    s, i = job.scratch, job.of[r]
    v = five(s, place(job, i, 5, lane))
    level = job.levels[d[MEMBER * W + lane] * job.n_numbers + r]
    if job.kinds[r] == FALLS:
        level = fallen(job, v[0], lane, r, anchor) - level
    t, length = w[T + lane] + first * w[HS + lane], (last - first) * w[HS + lane]
    a = scratch_at(lane, r)
    seen = feed(s, a, job.kinds[r], t, length, v, level, -1.0, is_exact(job, i))
    if seen >= 0.0:
        look_again(job, w, lane, r, first, last, v, level, seen)


def look_again(job, w, lane, r, first, last, v, level, seen):
    """Take the true value where an extreme may lie into a number."""
    s, a, i, kind = job.scratch, scratch_at(lane, r), job.of[r], job.kinds[r]
    t, length = w[T + lane] + first * w[HS + lane], (last - first) * w[HS + lane]
    while seen >= 0.0:
        w[XS + lane] = first + 0.25 * seen * (last - first)
        look(job, w)
        value = w[job.watched[i] + lane]
        offer(s, a, 1.0 if kind == PEAK else -1.0, t + 0.25 * length * seen, value)
        seen = feed(s, a, kind, t, length, v, level, seen, False)


def scratch_at(lane, r):
    """Return where a lane's unfinished answer to one number is kept."""
    return r * ROOM * W + lane
