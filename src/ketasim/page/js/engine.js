// The stepper of ketasim for one run: the method of compile/stepper.py over the same programs.
// A job is {p, knobs, rates, boluses, edges, before, settled, rtol}, as schedule.js makes it.
const FIRST_STEP = 1e-3, MOST = 6, MOST_FIRST = 100, LEAST = 0.2, LEEWAY = 100, SHARE = 1e-3;
const STRICT = 1e-8, LONG = 1e7, STILL = 1e-9, TRIES = 20000;
const OK = 0, TOO_MANY = 2, TOO_SMALL = 5, NO_BASELINE = 8;

function makeEngine(instance, N, observers) {
  const x = instance.exports, w = new Float64Array(x.memory.buffer);
  const slopes = ["d1", "d2", "d3"].map((name) => N[name]);

  function tolerances(rtol) {
    w[N.rtol] = rtol;
    for (let i = 0; i < N.n; i++) {
      w[N.atol + i] = rtol * SHARE * N.scales[i];
      w[N.low + i] = N.lows[i] - LEEWAY * rtol * N.scales[i];
      w[N.high + i] = N.highs[i] + LEEWAY * rtol * N.scales[i];
    }
  }

  function enter(job, e) {
    w.set(job.p, N.p);
    w.set(job.knobs[e], N.k);
    w.set(job.rates[e], N.r);
    x.prepare(0);
  }

  function give(amounts) {
    for (let i = 0; i < N.n; i++) w[N.y + i] += amounts[i];
  }

  // Where the model rests under inputs that have always held; null where it does not.
  const rests = new Map();
  function settle(p, before) {
    const carried = N.carrying.some((i) => before[i] !== N.neutral[i]);
    const key = before.join() + "|" + (carried ? p.join() : N.restful.map((i) => p[i]).join());
    if (rests.has(key)) return rests.get(key);
    const nothing = new Float64Array(N.n);
    const job = { p, knobs: [before], rates: [nothing], boluses: [nothing, nothing], edges: [0, LONG] };
    const found = run({ ...job, settled: false, rtol: STRICT });
    const rest = found.status === OK && isStill(job) ? found.final : null;
    if (rests.size > 64) rests.clear();
    rests.set(key, rest);
    return rest;
  }

  // The laws say whether the end is at rest: with g = 1 a first stage is about the slope.
  function isStill(job) {
    enter(job, 0);
    w[N.g] = 1e12;
    x.factor(0);
    for (let i = 0; i < N.n; i++) {
      if (!(Math.abs(w[N.stage + i]) * 1e12 <= STILL * N.scales[i])) return false;
    }
    return true;
  }

  // Run a job. `look(t, h, segment, last)` is called for each accepted step, before it is taken.
  function run(job, look) {
    if (job.settled) {
      const rest = settle(job.p, job.before);
      if (rest === null) return { status: NO_BASELINE, steps: 0, rejected: 0, final: null };
      tolerances(job.rtol);
      w.set(rest, N.y);
    } else {
      tolerances(job.rtol);
      w.set(job.p, N.p);
      w.set(job.knobs[0], N.k);
      x.rest(0);
    }
    const last = job.edges.length - 2;
    let steps = 0, rejected = 0;
    for (let e = 0; e <= last; e++) {
      enter(job, e);
      give(job.boluses[e]);
      let t = job.edges[e], h = FIRST_STEP, first = true, wrong = false, ends = false;
      const end = job.edges[e + 1];
      while (!ends) {
        const left = end - t;
        let step = h;
        ends = step * 1.0000001 >= left;
        if (!ends && 2 * step > left) step = 0.5 * left;
        if (ends) step = left;
        w[N.hinv] = 1 / step;
        w[N.g] = 1 / (step * N.gamma);
        x.step(0);
        const size = w[N.er];
        if (!(size <= 1 && w[N.margin] >= 0)) {
          rejected++;
          wrong = true;
          ends = false;
          h = step * (size > 1 ? Math.min(0.9, Math.max(LEAST, w[N.fac])) : 0.25);
          const small = !(step > 1e-15 * Math.abs(t) + 1e-40);
          if (small || steps + rejected > TRIES) {
            return { status: small ? TOO_SMALL : TOO_MANY, steps, rejected, final: null, at: t };
          }
          continue;
        }
        steps++;
        if (look) look(t, step, e, ends && e === last);
        const most = first ? MOST_FIRST : wrong ? 1 : MOST;
        h = step * Math.min(most, Math.max(LEAST, w[N.fac]));
        first = wrong = false;
        t = ends ? end : t + step;
        w[N.acc] = 1;
        x.accept(0);
      }
    }
    give(job.boluses[last + 1]);
    return { status: OK, steps, rejected, final: w.slice(N.y, N.y + N.n) };
  }

  function dense() {
    for (const i of N.need) x.dense(8 * i);
  }

  // Lay the states at a share of the step out, and everything that follows from them.
  function between(share, given) {
    const a = 1 - share;
    for (const i of N.need) {
      const bend = w[slopes[0] + i] + share * (w[slopes[1] + i] + share * w[slopes[2] + i]);
      w[N.z + i] = a * w[N.y + i] + share * (w[N.us8 + i] + a * bend);
      if (given) w[N.z + i] += given[i];
    }
    x.observe(0);
  }

  const places = (names) => names.map((name) => observers[name].at);

  // Values of names at times [h] that increase: one Float64Array a name; NaN after a failure.
  function at(job, names, times) {
    const from = places(names), values = names.map(() => new Float64Array(times.length).fill(NaN));
    let next = 0;
    const found = run(job, (t, h, e, isLast) => {
      const end = t + h;
      if (next >= times.length || (times[next] >= end && !isLast)) return;
      dense();
      while (next < times.length && (times[next] < end || (isLast && times[next] <= end * (1 + 1e-12)))) {
        const share = Math.min(1, (times[next] - t) / h);
        between(share, isLast && share === 1 ? job.boluses[e + 1] : null);
        for (let q = 0; q < from.length; q++) values[q][next] = w[from[q]];
        next++;
      }
    });
    return { ...found, values };
  }

  // The course of names: five places of every step, so that nothing is missed at any zoom; or, while
  // something moves, none nearer to the one before than a gap [h], which says what is seen at a time.
  function course(job, names, gap) {
    const from = places(names), near = (t) => gap && t - before < gap(t);
    let before = -Infinity;
    let room = 1024, count = 0, times = new Float64Array(room);
    let values = names.map(() => new Float64Array(room));
    const longer = (a) => { const b = new Float64Array(2 * room); b.set(a); return b; };
    const found = run(job, (t, h, e, isLast) => {
      if (!isLast && near(t + h)) return;
      if (count + 5 > room) { times = longer(times); values = values.map(longer); room *= 2; }
      dense();
      for (let k = 0; k < 5; k++) {
        const at = t + 0.25 * k * h;
        if (near(at) && !(isLast && k === 4)) continue;
        times[count] = before = at;
        between(0.25 * k, isLast && k === 4 ? job.boluses[e + 1] : null);
        for (let q = 0; q < from.length; q++) values[q][count] = w[from[q]];
        count++;
      }
    });
    const cut = (a) => a.subarray(0, count);
    return { ...found, times: cut(times), values: values.map(cut) };
  }

  return { run, at, course, settle, enter, between, dense, x, w, N, observers, forget: () => rests.clear() };
}
