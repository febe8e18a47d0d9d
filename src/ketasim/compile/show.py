"""What is read of members at moments while they run: recorded values, and numbers that are one.

The text below the marker is copied into every generated module, between ``scan`` and ``watch``; see
``stepper`` for the workspace ``w`` and the whole numbers ``d``. A moment of every lane is read at a
time; a step that holds many moments has all lanes lent to it, so that none of them idles.
"""
# mypy: ignore-errors
# ruff: noqa: D103, F821

# --- copied from here
HEAD = 5  # counts that ``needs`` begins with
MANY = 3  # moments within one step that all lanes are lent to


def run_laws(job, w):
    """Compute every law that is read, in every lane, from the states between."""
    for j in range(HEAD + job.n_states, HEAD + job.n_states + job.n_laws):
        observe(w, job.needs[j])


def run_dense(job, w):
    for j in range(HEAD, HEAD + job.n_states):
        dense(w, job.needs[j] * W)


def run_between(job, w):
    """Find the states that are read at the share of the step that each lane asks for."""
    for j in range(HEAD, HEAD + job.n_states):
        between(w, job.needs[j] * W)


def look(job, w):
    run_between(job, w)
    run_laws(job, w)


def show(job, w, d):
    """Read everything that falls into the accepted steps, a moment of every lane at a time."""
    for lane in range(job.n_lanes):
        if d[UPTO * W + lane] - d[OUT * W + lane] >= MANY:
            show_many(job, w, d, lane)
    pending = True
    while pending:
        pending = at_end = False
        for lane in range(W):
            w[XS + lane] = 0.0
            if d[OUT * W + lane] < d[UPTO * W + lane]:
                moment = job.times[d[OUT * W + lane]]
                w[XS + lane] = (moment - w[T + lane]) * w[HINV + lane]
                pending, at_end = True, at_end or moment == w[NEW + lane]
        if pending:
            run_between(job, w)
            if at_end:
                finish(job, w, d)
            run_laws(job, w)
            for lane in range(job.n_lanes):
                if d[OUT * W + lane] < d[UPTO * W + lane]:
                    read(job, w, d, lane, lane)


def lend(w, at, lane):
    """Let a constant of one lane hold in all of them."""
    one_of(w, at + lane)
    all_of(w, at)


def lay_shares(job, w, d, lane, last):
    """Lay the shares of a lane's step at which its next moments lie out; return how many."""
    k = d[OUT * W + lane]
    n = min(last - k, W)
    for other in range(n):
        w[XS + other] = (job.times[k + other] - w[T + lane]) * w[HINV + lane]
    return n


def show_many(job, w, d, lane):
    """Read the moments within one lane's step, but the very last, with all lanes lent to it.

    Shares are written well before they are read: what was just written number by number is not
    yet there to be read as a vector.
    """
    begins, last = HEAD + job.n_states + job.n_laws, d[UPTO * W + lane]
    while last > d[OUT * W + lane] and job.times[last - 1] >= w[NEW + lane]:
        last -= 1
    n = lay_shares(job, w, d, lane, last)
    for j in range(begins, job.n_needs):
        keep(w, job.needs[j] * W)
        lend(w, job.needs[j] * W, lane)
    while n > 0:
        for j in range(HEAD, HEAD + job.n_states):
            spread(w, job.needs[j] * W + lane)
            along(w, job.needs[j] * W)
        run_laws(job, w)
        for other in range(n):
            read(job, w, d, lane, other)
        n = lay_shares(job, w, d, lane, last)
    for j in range(begins, job.n_needs):
        restore(w, job.needs[j] * W)


def finish(job, w, d):
    """Let boluses given at the very end show in the last moment."""
    for lane in range(job.n_lanes):
        edge = d[EDGE * W + lane] + 1
        pending = d[OUT * W + lane] < d[UPTO * W + lane] and edge == d[LAST * W + lane]
        if pending and job.times[d[OUT * W + lane]] == w[TE + lane]:
            for i in range(N_DOSED):
                w[Z + DOSED[i] * W + lane] += job.boluses[edge * N_DOSED + i]


def read(job, w, d, lane, there):
    """Write what a lane shows at its next moment, found ``there``, and move on to the one after."""
    m, k = d[MEMBER * W + lane], d[OUT * W + lane]
    column, total = job.columns[k], 0.0
    if column >= 0:
        to = m * job.n_shown * job.n_columns + column
        for q in range(job.n_shown):
            value = w[job.shown[q] + there]
            job.values[to + q * job.n_columns] = value
            total += 0.0 * value
    for i in range(job.asked[k], job.asked[k + 1]):
        r = job.readings[i]
        value = w[job.watched[job.of[r]] + there]
        a = scratch_at(lane, r)
        job.scratch[a + BEST], job.scratch[a + WHEN] = value, job.times[k]
        total += 0.0 * value
    d[NONE * W + lane] |= total != 0.0
    d[OUT * W + lane] += 1
