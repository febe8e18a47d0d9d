"""Derivatives taken back in time, in lanes that each carry one task: a read-out of one member.

The text below the marker is copied into the generated module. A lane begins at the end of its
member's last step with the derivative by the states there, and takes it back a step at a time; what
a read-out looks at within a step is added there (``seeds``: by a state at the step's beginning, at
its end, and by the three rows of its dense output). At a segment's beginning the derivative by its
constants becomes that by parameters, inputs and rates.

``tape`` rows hold, of each step, its beginning, its length, its segment and its states.
"""
# mypy: ignore-errors
# ruff: noqa: F821

# --- copied from here
STEP, TASK, SEGMENT = range(3)
FREE = -1
SEEN = 3 * W


def load_inputs(job, w, task, segment):
    """Lay a member's parameters and a segment's inputs out."""
    m = job.owners[task]
    edge = job.firsts[job.plans[m]] + segment
    for i in range(N_PARAMETERS):
        w[P + i], w[PB + i] = job.parameters[m * N_PARAMETERS + i], 0.0
    for i in range(N_KNOBS):
        w[K + i], w[KB + i] = job.knobs[edge * N_KNOBS + i], 0.0
    for i in range(N_DOSED):
        w[R + i], w[RB + i] = job.rates[edge * N_DOSED + i], 0.0


def enter(job, w, d, lane, segment):
    """Begin a segment, from its end."""
    d[SEGMENT * W + lane] = segment
    load_inputs(job, w, d[TASK * W + lane], segment)
    prepare(w, lane)
    for i in range(N_C):
        w[CB + i * W + lane] = 0.0


def leave(job, w, d, lane):
    """Note what a segment's beginning means for the result, and what its inputs do."""
    task, segment = d[TASK * W + lane], d[SEGMENT * W + lane]
    row = task * job.n_edges + segment
    for i in range(job.n_steady):
        w[CB + job.steady[i] * W + lane] += job.at_once[row * job.n_steady + i]
    load_inputs(job, w, task, segment)
    prepare_back(w, lane)
    for i in range(N_PARAMETERS):
        job.by_parameter[task * N_PARAMETERS + i] += w[PB + i]
    for i in range(N_KNOBS):
        job.by_knob[row * N_KNOBS + i] = w[KB + i]
    for i in range(N_DOSED):
        job.by_rate[row * N_DOSED + i] = w[RB + i]
    for i in range(N):
        job.by_edge[row * N + i] = w[LAM + i * W + lane]


def conclude(job, w, d, lane):
    """Note what a member's first states mean for the result."""
    task = d[TASK * W + lane]
    leave(job, w, d, lane)
    for i in range(N):
        w[LAM + i * W + lane] += job.starts[task * N + i]
        job.by_start[task * N + i] = w[LAM + i * W + lane]
    if job.rested[task] == 1:
        load_inputs(job, w, task, 0)
        rest_back(w, lane)
        for i in range(N_PARAMETERS):
            job.by_parameter[task * N_PARAMETERS + i] += w[PB + i]


def take_up(job, w, d, lane, task):
    """Put a task into a lane."""
    d[TASK * W + lane], d[SEGMENT * W + lane] = task, FREE
    d[STEP * W + lane] = job.counts[job.owners[task]] - 1
    for i in range(N):
        w[LAM + i * W + lane] = 0.0


def load_step(job, w, d, lane):
    """Lay a step out, and what is read within it; return whether anything is."""
    task, step = d[TASK * W + lane], d[STEP * W + lane]
    a = (job.owners[task] * job.n_tape + step) * job.n_row
    segment = int(job.tape[a + 2])
    if segment != d[SEGMENT * W + lane]:
        if d[SEGMENT * W + lane] != FREE:
            leave(job, w, d, lane)
        enter(job, w, d, lane, segment)
    h = job.tape[a + 1]
    w[HINV + lane], w[G + lane] = 1.0 / h, 1.0 / (h * GAMMA)
    for i in range(N):
        w[Y + i * W + lane] = job.tape[a + 3 + i]
    row = job.rows[task * job.n_tape + step]
    if row < 0:
        return False
    for j in range(job.n_seeded):
        seed(job, w, job.seeded[j] * W + lane, (row * job.n_seeded + j) * 5)
    return True


def seed(job, w, place, a):
    """Note what is read of one state within a step."""
    w[Z + place] = job.seeds[a]
    w[LAM + place] += job.seeds[a + 1]
    w[D1 + place], w[D2 + place], w[D3 + place] = (
        job.seeds[a + 2], job.seeds[a + 3], job.seeds[a + 4]
    )  # fmt: skip


def clear(job, w):
    """Forget what was read within the last steps."""
    for j in range(job.n_seeded):
        place = job.seeded[j] * W
        for lane in range(W):
            w[Z + place + lane] = w[D1 + place + lane] = 0.0
            w[D2 + place + lane] = w[D3 + place + lane] = 0.0


def next_steps(job, w, d, waiting):
    """Lay the next step of every lane out; return how many tasks have been taken up.

    The first whole number of ``d`` past its rows says whether anything is read within these steps.
    """
    if d[SEEN] == 1:
        clear(job, w)
    d[SEEN] = 0
    for lane in range(W):
        if d[TASK * W + lane] != FREE and d[STEP * W + lane] < 0:
            conclude(job, w, d, lane)
            d[TASK * W + lane] = FREE
        if d[TASK * W + lane] == FREE and waiting < job.n_tasks:
            take_up(job, w, d, lane, waiting)
            waiting += 1
        if d[TASK * W + lane] != FREE and load_step(job, w, d, lane):
            d[SEEN] = 1
    return waiting


def run(job):
    """Take every task back to its beginning; return how many steps all lanes took together."""
    w, d, waiting, rounds = job.workspace, zeros(3 * W + 1), 0, 0
    for lane in range(W):
        d[TASK * W + lane] = FREE
    while True:
        waiting = next_steps(job, w, d, waiting)
        busy = False
        for lane in range(W):
            busy |= d[TASK * W + lane] != FREE
        if not busy:
            break
        run_back(job, w, job.n_seeded if d[SEEN] == 1 else 0)
        carry(w, 0)
        rounds += 1
        for lane in range(W):
            d[STEP * W + lane] -= 1
    return rounds
