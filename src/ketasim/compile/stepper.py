"""The stepper: lanes that each carry one member on its own clock, refilled as members finish.

The text below the marker is copied into every generated module, where the names declared here are
the numbers and programs of that kernel. A member's numbers depend on that member alone: every
vector instruction acts lane by lane, and nothing is summed across lanes.
"""
# mypy: ignore-errors
# ruff: noqa: N803, N806

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from ketasim.compile.stepper_names import (
        ACC, ATOL, C, D, DOSED, ER, FAC, G, GAMMA, HIGH, HINV, KN, LOW, MARGIN, N, N_C,
        N_DOSED, N_KNOBS, N_NEED, N_PARAMETERS, N_RECORD, N_ZC, NEED, O, P, R, RTOL, SIGNATURE, U,
        W, WIDTH, Y, Z, ZC, ZC_FROM, accept, combine_2, combine_3, combine_4, combine_5,
        combine_6, combine_7, combine_8, dense, error, factor, observe, prepare, rest, stage,
    )  # fmt: skip

# --- copied from here
OK, MAX_STEPS, TIME_LIMIT, NONFINITE, STEP_TOO_SMALL, NEGATIVE_STATE, BAD = 0, 2, 3, 4, 5, 6, 7
SAFE = {"error_model": "numpy", "nogil": True}


@njit(**SAFE)
def run_factor(w):
    factor(w, 0)


@njit(**SAFE)
def run_stage(w, at):
    stage(w, at)


@njit(**SAFE)
def run_error(w):
    error(w, 0)


@njit(**SAFE)
def run_observe(w):
    observe(w, 0)


@njit(**SAFE)
def run_prepare(w, lane):
    prepare(w, lane)


@njit(**SAFE)
def run_step(w):
    """Carry out one step of the method in every lane, up to the error estimate."""
    run_factor(w)
    combine_2(w, 0)
    run_stage(w, N * W)
    combine_3(w, 0)
    run_stage(w, 2 * N * W)
    combine_4(w, 0)
    run_stage(w, 3 * N * W)
    combine_5(w, 0)
    run_stage(w, 4 * N * W)
    combine_6(w, 0)
    run_stage(w, 5 * N * W)
    combine_7(w, 0)
    run_stage(w, 6 * N * W)
    combine_8(w, 0)
    run_stage(w, 7 * N * W)
    run_error(w)


@njit(**SAFE)
def enter(w, lane, row, knobs, rates, boluses):
    """Set a lane's inputs on reaching an edge, and give the boluses that wait there."""
    for i in range(N_KNOBS):
        w[KN + i] = knobs[row, i]
    for i in range(N_DOSED):
        w[R + i] = rates[row, i]
        w[Y + DOSED[i] * W + lane] += boluses[row, i]
    run_prepare(w, lane)


@njit(**SAFE)
def fill(w, lane, parameters, start, row, knobs, rates, boluses):
    """Put a member into a lane; return whether all its numbers are finite."""
    for i in range(N_PARAMETERS):
        w[P + i] = parameters[i]
    if len(start) > 0:
        for i in range(N):
            w[Y + i * W + lane] = start[i]
    else:
        rest(w, lane)
    # A lane's own parameters are not kept: each segment's constants are made from them again.
    enter(w, lane, row, knobs, rates, boluses)
    total = 0.0
    for i in range(N):
        total += 0.0 * w[Y + i * W + lane]
    for i in range(N_C):
        total += 0.0 * w[C + i * W + lane]
    return total == 0.0


@njit(**SAFE)
def flush(w, taken, to_member, to_time, values):
    """Compute what is recorded for the requests at hand, and write it where it belongs."""
    run_observe(w)
    for slot in range(taken):
        for q in range(N_RECORD):
            values[to_member[slot], q, to_time[slot]] = w[O + q * WIDTH + slot]


@njit(**SAFE)
def request(w, lane, slot, x):
    """Interpolate the states that a record needs at fraction x of the step, into a free slot."""
    for j in range(N_NEED):
        at = NEED[j] * W + lane
        d1 = w[D + j * W + lane]
        d2 = w[D + (N_NEED + j) * W + lane]
        d3 = w[D + (2 * N_NEED + j) * W + lane]
        bend = (1.0 - x) * (d1 + x * (d2 + x * d3))
        w[Z + j * WIDTH + slot] = (1.0 - x) * w[Y + at] + x * (w[U + at] + bend)
    for j in range(N_ZC):
        w[ZC + j * WIDTH + slot] = w[C + ZC_FROM[j] * W + lane]


@njit(**SAFE)
def give_last(w, slot, row, boluses):
    """Show a bolus given at the very end in the last output time."""
    for j in range(N_NEED):
        for i in range(N_DOSED):
            if NEED[j] == DOSED[i]:
                w[Z + j * WIDTH + slot] += boluses[row, i]


@njit(**SAFE)
def choose(w, hs, t, h, te, lane):
    """Choose the step of one lane: to the edge, half way there, or as error control asks."""
    left = te - t
    step = h
    if step * 1.0000001 >= left:
        step = left
    elif 2.0 * step > left:
        step = 0.5 * left
    hs[lane] = step
    w[HINV + lane] = 1.0 / step
    w[G + lane] = 1.0 / (step * GAMMA)


@njit(SIGNATURE, cache=True, **SAFE)
def run(
    members, parameters, starts, plans, firsts, edges, knobs, rates, boluses, times, atol, low, high,
    settings, limits, clock, w, values, final, status, steps, rejected,
):  # fmt: skip
    """Integrate members, and return the number of steps of all lanes together."""
    w[:] = 0.0
    for i in range(N):
        w[ATOL + i] = atol[i]
        w[LOW + i] = low[i]
        w[HIGH + i] = high[i]
    w[RTOL] = settings[0]
    first_step = settings[1]
    max_steps, patience = limits[0], limits[1]
    n_times, n_members = len(times), len(members)
    t, h, hs, te = np.zeros(W), np.ones(W), np.ones(W), np.ones(W)
    member = np.full(W, -1)
    edge, last_edge, row = np.zeros(W, np.int64), np.zeros(W, np.int64), np.zeros(W, np.int64)
    out = np.zeros(W, np.int64)
    tried = np.zeros(W, np.int64)
    since = np.zeros(W, np.int64)
    fresh = np.zeros(W, np.int64)
    trouble = np.zeros(W, np.int64)
    accepted = np.zeros(W)
    wanted = np.ones(W, np.int64)
    to_member, to_time = np.zeros(WIDTH, np.int64), np.zeros(WIDTH, np.int64)
    taken = 0
    waiting, active, rounds = 0, W, 0
    while True:
        # Refill lanes that are free.
        for lane in range(W):
            while wanted[lane] == 1:
                if waiting == n_members:
                    wanted[lane] = 0
                    member[lane] = -1
                    active -= 1
                    h[lane] = hs[lane] = te[lane] = 1.0
                    t[lane] = 0.0
                    w[HINV + lane] = 1.0
                    w[G + lane] = 1.0 / GAMMA
                    break
                m = members[waiting]
                waiting += 1
                plan = plans[m]
                row[lane], last_edge[lane] = firsts[plan], firsts[plan + 1] - 1
                edge[lane] = row[lane]
                steps[m] = rejected[m] = 0
                good = fill(
                    w, lane, parameters[m], starts[m if len(starts) > 1 else 0], row[lane], knobs,
                    rates, boluses,
                )  # fmt: skip
                if not good:
                    status[m] = BAD
                    values[m] = np.nan
                    for i in range(N):
                        w[Y + i * W + lane] = 0.0
                    for i in range(N_C):
                        w[C + i * W + lane] = 0.0
                    continue
                wanted[lane] = 0
                member[lane] = m
                t[lane], te[lane] = edges[row[lane]], edges[row[lane] + 1]
                h[lane] = first_step
                out[lane] = tried[lane] = trouble[lane] = 0
                fresh[lane] = 1
                since[lane] = clock[0]
        if active == 0 or clock[1] != 0:
            break
        for lane in range(W):
            if member[lane] >= 0:
                choose(w, hs, t[lane], h[lane], te[lane], lane)
        run_step(w)
        rounds += 1
        pending = False
        for lane in range(W):
            accepted[lane] = 0.0
            m = member[lane]
            if m < 0:
                continue
            size, grow = w[ER + lane], w[FAC + lane]
            tried[lane] += 1
            fine = size <= 1.0
            inside = w[MARGIN + lane] >= 0.0
            if fine and inside:
                accepted[lane] = 1.0
                new = te[lane] if hs[lane] == te[lane] - t[lane] else t[lane] + hs[lane]
                ends = edge[lane] + 1 == last_edge[lane] and new == te[lane]
                if out[lane] < n_times and (
                    times[out[lane]] < new or (ends and times[out[lane]] <= new)
                ):
                    pending = True
            else:
                rejected[m] += 1
                trouble[lane] = 2 if fine else (1 if size > 1.0 else 3)
                h[lane] = hs[lane] * (min(0.9, max(0.2, grow)) if size > 1.0 else 0.25)
        if pending:
            dense(w, 0)
        for lane in range(W):
            m = member[lane]
            if m < 0:
                continue
            code = -1
            if accepted[lane] == 1.0:
                steps[m] += 1
                new = te[lane] if hs[lane] == te[lane] - t[lane] else t[lane] + hs[lane]
                ends = edge[lane] + 1 == last_edge[lane] and new == te[lane]
                while out[lane] < n_times and (
                    times[out[lane]] < new or (ends and times[out[lane]] <= new)
                ):
                    x = (times[out[lane]] - t[lane]) * w[HINV + lane]
                    request(w, lane, taken, x)
                    if ends and times[out[lane]] == new:
                        give_last(w, taken, last_edge[lane], boluses)
                    to_member[taken], to_time[taken] = m, out[lane]
                    taken += 1
                    out[lane] += 1
                    if taken == WIDTH:
                        flush(w, taken, to_member, to_time, values)
                        taken = 0
                t[lane] = new
                most = 100.0 if fresh[lane] == 1 else (1.0 if trouble[lane] > 0 else 6.0)
                h[lane] = hs[lane] * min(most, max(0.2, w[FAC + lane]))
                fresh[lane] = trouble[lane] = 0
                if new == te[lane]:
                    edge[lane] += 1
                    wanted[lane] = 2
                    if ends:
                        code = OK
            elif hs[lane] <= 1e-15 * abs(t[lane]) + 1e-40:
                code = STEP_TOO_SMALL
                if trouble[lane] == 2:
                    code = NEGATIVE_STATE
                if trouble[lane] == 3:
                    code = NONFINITE
            if code < 0 and tried[lane] >= max_steps:
                code = MAX_STEPS
            if code < 0 and clock[0] - since[lane] > patience:
                code = TIME_LIMIT
            if code >= 0:
                status[m] = code
                wanted[lane] = 1
                if code != OK:
                    for i in range(out[lane], n_times):
                        values[m, :, i] = np.nan
        for lane in range(W):
            w[ACC + lane] = accepted[lane]
        accept(w, 0)
        for lane in range(W):
            if wanted[lane] == 0:
                continue
            m = member[lane]
            if wanted[lane] == 1 and len(final) > 0:
                for i in range(N):
                    final[m, i] = w[Y + i * W + lane]
                if status[m] == OK:
                    for i in range(N_DOSED):
                        final[m, DOSED[i]] += boluses[last_edge[lane], i]
            if wanted[lane] == 2:
                wanted[lane] = 0
                for i in range(N_PARAMETERS):
                    w[P + i] = parameters[m, i]
                enter(w, lane, edge[lane], knobs, rates, boluses)
                te[lane] = edges[edge[lane] + 1]
                h[lane] = first_step
                fresh[lane] = 1
    flush(w, taken, to_member, to_time, values)
    return rounds
