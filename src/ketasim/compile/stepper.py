"""The stepper: lanes that each carry one member on its own clock, refilled as members finish.

The text below the marker is part of every kernel's, where the names it does not define are the
numbers and programs of that kernel. A member's numbers depend on that member alone: every
vector instruction acts lane by lane, and nothing is summed across lanes.

``w`` is the workspace of doubles, in which an array of a lane's numbers starts at the offset that
bears its name; ``d`` (rows, lanes) holds a lane's whole numbers. It is never run as Python: see
``lower`` for the part of the language it is written in.
"""
# mypy: ignore-errors
# ruff: noqa: D103, F821, SIM109

import numpy as np

# --- copied from here
OK, MAX_STEPS, TIME_LIMIT, NONFINITE, STEP_TOO_SMALL, NEGATIVE_STATE, BAD = 0, 2, 3, 4, 5, 6, 7
GOING = -1
# Rows of d: the member; its edge, last edge and next moment; steps tried; when it began; whether
# the step is a segment's first or its last; what was wrong with the last step; what comes next;
# whether a value read of it was no number; whether the value at the step's beginning is not known,
# and whether the step is looked at more closely; the first moment that lies after the step.
MEMBER, EDGE, LAST, OUT, TRIED, SINCE, FIRST, ENDS, WRONG, NEXT, NONE, STALE, CLOSER, UPTO = range(
    14
)
ROWS = 14
STAY, TURN, LEAVE = 0, 1, 2
FINE, LARGE, OUTSIDE, BROKEN = 0, 1, 2, 3
MOST, MOST_FIRST, LEAST = 6.0, 100.0, 0.2


def unpack(job, w, m):
    """Lay a member's parameters out for the programs of one lane."""
    for i in range(N_PARAMETERS):
        w[P + i] = job.parameters[m * N_PARAMETERS + i]


def enter(job, w, d, lane, first_step):
    """Start a segment: its inputs, and a small first step."""
    edge = d[EDGE * W + lane]
    for i in range(N_KNOBS):
        w[K + i] = job.knobs[edge * N_KNOBS + i]
    for i in range(N_DOSED):
        w[R + i] = job.rates[edge * N_DOSED + i]
    turned(w, lane)
    w[T + lane], w[TE + lane], w[H + lane] = job.edges[edge], job.edges[edge + 1], first_step
    d[FIRST * W + lane] = d[STALE * W + lane] = 1
    d[WRONG * W + lane] = FINE
    d[NEXT * W + lane] = STAY


def dose(job, w, d, lane):
    """Give the boluses that wait at a segment's edge."""
    edge = d[EDGE * W + lane]
    for i in range(N_DOSED):
        w[Y + DOSED[i] * W + lane] += job.boluses[edge * N_DOSED + i]


def begin(job, w, d, lane):
    """Forget the last member's answers, and note what is there before anything is given."""
    d[NONE * W + lane] = 0
    for i in range(job.n_numbers * ROOM):
        job.scratch[i * W + lane] = 0.0
    if job.n_watched == 0:
        return
    for j in range(HEAD, HEAD + job.n_states):
        w[Z + job.needs[j] * W + lane] = w[Y + job.needs[j] * W + lane]
    run_laws(job, w)
    for i in range(job.n_watched):
        job.scratch[before(job, i, lane)] = w[job.watched[i] + lane]


def before(job, i, lane):
    """Return where a watched value of before time 0 is kept."""
    return W * (job.n_numbers * ROOM + 10 * job.n_watched) + i * W + lane


def seat(job, w, d, lane, m, first_step):
    """Put a member into a lane; return whether all its numbers are finite."""
    plan = job.plans[m]
    d[MEMBER * W + lane] = m
    d[EDGE * W + lane], d[LAST * W + lane] = job.firsts[plan], job.firsts[plan + 1] - 1
    d[OUT * W + lane] = d[TRIED * W + lane] = 0
    job.steps[m] = job.rejected[m] = 0
    if job.n_starts > 0:
        for i in range(N):
            w[Y + i * W + lane] = job.starts[(m if job.n_starts > 1 else 0) * N + i]
    unpack(job, w, m)
    if job.n_starts == 0:
        rest(w, lane)
    prepare(w, lane)
    enter(job, w, d, lane, first_step)
    begin(job, w, d, lane)
    dose(job, w, d, lane)
    total = 0.0
    for i in range(N_PARAMETERS):
        total += 0.0 * w[P + i]
    for i in range(N):
        total += 0.0 * w[Y + i * W + lane]
    for i in range(N_C):
        total += 0.0 * w[C + i * W + lane]
    return total == 0.0


def idle(w, d, lane):
    """Leave a lane empty, with numbers that do no harm."""
    d[MEMBER * W + lane] = -1
    d[NEXT * W + lane] = STAY
    w[T + lane] = w[ACC + lane] = w[XS + lane] = 0.0
    w[TE + lane] = w[H + lane] = w[HS + lane] = w[HINV + lane] = 1.0
    w[G + lane] = 1.0 / GAMMA
    for i in range(N):
        w[Y + i * W + lane] = 0.0


def blank(job, m, first):
    """Leave nothing in a member's values from one moment on, and no number taken of it."""
    for k in range(first, job.n_times):
        if job.columns[k] >= 0:
            for q in range(job.n_shown):
                job.values[(m * job.n_shown + q) * job.n_columns + job.columns[k]] = np.nan
    for r in range(2 * job.n_numbers):
        job.numbers[m * 2 * job.n_numbers + r] = np.nan


def refill(job, w, d, clock, first_step, waiting):
    """Give every free lane its next member; return how many members have been taken."""
    for lane in range(W):
        while d[NEXT * W + lane] == LEAVE:
            if waiting == job.n_members:
                idle(w, d, lane)
                break
            m = job.members[waiting]
            waiting += 1
            d[SINCE * W + lane] = clock[0]
            if not seat(job, w, d, lane, m, first_step):
                job.status[m] = BAD
                blank(job, m, 0)
                d[NEXT * W + lane] = LEAVE
    return waiting


def choose(w, d):
    """Choose every lane's step: to the edge, half way there, or as error control asks."""
    for lane in range(W):
        left = w[TE + lane] - w[T + lane]
        step = w[H + lane]
        ends = step * 1.0000001 >= left
        if not ends and 2.0 * step > left:
            step = 0.5 * left
        if ends:
            step = left
        d[ENDS * W + lane] = ends
        w[NEW + lane] = w[TE + lane] if ends else w[T + lane] + step
        w[HS + lane] = step
        w[HINV + lane] = 1.0 / step
        w[G + lane] = 1.0 / (step * GAMMA)


def due(job, w, d, lane):
    """Find how far the moments within a step go, which owns the run's end only; say if any does."""
    k, new = d[OUT * W + lane], w[NEW + lane]
    while k < job.n_times and job.times[k] < new:
        k += 1
    last = d[ENDS * W + lane] == 1 and d[EDGE * W + lane] + 1 == d[LAST * W + lane]
    while last and k < job.n_times and job.times[k] == new:
        k += 1
    d[UPTO * W + lane] = k
    return k > d[OUT * W + lane]


def judge(job, w, d):
    """Accept or reject each lane's step; return whether any output falls into one."""
    pending = False
    for lane in range(W):
        w[ACC + lane] = 0.0
        d[UPTO * W + lane] = d[OUT * W + lane]
        m = d[MEMBER * W + lane]
        if m < 0:
            continue
        d[TRIED * W + lane] += 1
        size, inside = w[ER + lane], w[MARGIN + lane] >= 0.0
        if size <= 1.0 and inside:
            w[ACC + lane] = 1.0
            job.steps[m] += 1
            pending |= due(job, w, d, lane)
            continue
        job.rejected[m] += 1
        d[WRONG * W + lane] = OUTSIDE if size <= 1.0 else (LARGE if size > 1.0 else BROKEN)
        shrink = min(0.9, max(LEAST, w[FAC + lane])) if size > 1.0 else 0.25
        w[H + lane] = w[HS + lane] * shrink
    return pending


def outcome(w, d, lane):
    """Move an accepted lane on in time; return how its member ended, if it did."""
    if w[ACC + lane] == 0.0:
        if w[HS + lane] > 1e-15 * abs(w[T + lane]) + 1e-40:
            return GOING
        wrong = d[WRONG * W + lane]
        return (
            NEGATIVE_STATE if wrong == OUTSIDE else NONFINITE if wrong == BROKEN else STEP_TOO_SMALL
        )
    most = MOST_FIRST if d[FIRST * W + lane] == 1 else 1.0 if d[WRONG * W + lane] != FINE else MOST
    w[H + lane] = w[HS + lane] * min(most, max(LEAST, w[FAC + lane]))
    d[FIRST * W + lane], d[WRONG * W + lane] = 0, FINE
    w[T + lane] = w[NEW + lane]
    if d[ENDS * W + lane] == 0:
        return GOING
    d[EDGE * W + lane] += 1
    d[NEXT * W + lane] = TURN
    return OK if d[EDGE * W + lane] == d[LAST * W + lane] else GOING


def note(job, w, d):
    """Keep of each accepted step what running back in time needs: see ``engines/tape.py``."""
    for lane in range(job.n_lanes):
        if w[ACC + lane] == 0.0:
            continue
        m = d[MEMBER * W + lane]
        step = job.steps[m] - 1
        if step >= job.n_tape:
            continue
        a = (m * job.n_tape + step) * job.n_row
        job.tape[a], job.tape[a + 1] = w[T + lane], w[HS + lane]
        job.tape[a + 2] = d[EDGE * W + lane] - job.firsts[job.plans[m]]
        for i in range(N):
            job.tape[a + 3 + i] = w[Y + i * W + lane]
        a += 3 + N
        for j in range(job.n_states):
            at = job.needs[HEAD + j] * W + lane
            job.tape[a], job.tape[a + 1] = w[U + at], w[D1 + at]
            job.tape[a + 2], job.tape[a + 3] = w[D2 + at], w[D3 + at]
            a += 4


def answer(job, w, d, lane):
    """Write a finished member's numbers, each a value and its time."""
    m = d[MEMBER * W + lane]
    last_dose(job, w, d, lane)
    for r in range(job.n_numbers):
        a, out = scratch_at(lane, r), (m * job.n_numbers + r) * 2
        value, moment, kind = job.scratch[a + BEST], job.scratch[a + WHEN], job.kinds[r]
        if kind == START:
            value = job.scratch[before(job, job.of[r], lane)]
        if (kind == PEAK or kind == TROUGH or kind >= REACHES) and job.scratch[a + BEGUN] == 0.0:
            value = moment = np.nan  # the window held nothing of the run
        job.numbers[out] = -value if kind == TROUGH else value
        job.numbers[out + 1] = moment


def last_dose(job, w, d, lane):
    """Let a bolus given at the very end count among the extremes."""
    row = d[LAST * W + lane] * N_DOSED
    given = 0.0
    for i in range(N_DOSED):
        given += abs(job.boluses[row + i])
    if given == 0.0 or job.n_scanned == 0:
        return
    for j in range(HEAD, HEAD + job.n_states):
        w[Z + job.needs[j] * W + lane] = w[U + job.needs[j] * W + lane]
    for i in range(N_DOSED):
        w[Z + DOSED[i] * W + lane] += job.boluses[row + i]
    run_laws(job, w)
    for r in range(job.n_numbers):
        kind = job.kinds[r]
        if (kind == PEAK or kind == TROUGH) and job.windows[2 * r + 1] >= w[NEW + lane]:
            sign, a = 1.0 if kind == PEAK else -1.0, scratch_at(lane, r)
            offer(job.scratch, a, sign, w[NEW + lane], w[job.watched[job.of[r]] + lane])


def conclude(job, w, d, limits, clock):
    """Move every lane on, and note members that have ended."""
    for lane in range(W):
        m = d[MEMBER * W + lane]
        if m < 0:
            continue
        code = outcome(w, d, lane)
        if code == GOING and d[TRIED * W + lane] >= limits[0]:
            code = MAX_STEPS
        if code == GOING and clock[0] - d[SINCE * W + lane] > limits[1]:
            code = TIME_LIMIT
        if d[NONE * W + lane] == 1 and (code == GOING or code == OK):
            code = NONFINITE
        if code == GOING:
            continue
        job.status[m] = code
        d[NEXT * W + lane] = LEAVE
        if code == OK:
            if WATCHES:
                answer(job, w, d, lane)
        else:
            blank(job, m, d[OUT * W + lane])


def turn(job, w, d, first_step):
    """Start the next segment of lanes at an edge, and keep the last state of those that ended."""
    for lane in range(W):
        if d[NEXT * W + lane] == TURN:
            unpack(job, w, d[MEMBER * W + lane])
            enter(job, w, d, lane, first_step)
            dose(job, w, d, lane)
        elif d[NEXT * W + lane] == LEAVE and job.n_final > 0:
            m = d[MEMBER * W + lane]
            for i in range(N):
                job.final[m * N + i] = w[Y + i * W + lane]
            if job.status[m] == OK:
                for i in range(N_DOSED):
                    job.final[m * N + DOSED[i]] += job.boluses[d[LAST * W + lane] * N_DOSED + i]


def tolerances(job, w):
    w[RTOL] = job.settings[0]
    for i in range(N):
        w[ATOL + i], w[LOW + i], w[HIGH + i] = job.atol[i], job.low[i], job.high[i]


def run(job):
    """Step until every member has ended or somebody asks to stop; return the number of steps."""
    d, w, clock, rounds, waiting = zeros(ROWS * W), job.workspace, job.clock, 0, 0
    first_step, anchor = job.settings[1], job.settings[2]
    for lane in range(W):
        d[NEXT * W + lane] = LEAVE
    tolerances(job, w)
    while clock[1] == 0:
        waiting = refill(job, w, d, clock, first_step, waiting)
        busy = False
        for lane in range(W):
            busy |= d[MEMBER * W + lane] >= 0
        if not busy:
            break
        choose(w, d)
        run_step(w)
        rounds += 1
        pending = judge(job, w, d)
        if pending or (WATCHES and job.n_scanned > 0) or job.n_tape > 0:
            run_dense(job, w)
        if job.n_tape > 0:
            note(job, w, d)
        if pending:
            show(job, w, d)
        if WATCHES and job.n_scanned > 0:
            watch(job, w, d, anchor)
        conclude(job, w, d, job.limits, clock)
        accept(w, 0)
        turn(job, w, d, first_step)
    return rounds
