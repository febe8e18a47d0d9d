// Derivatives of read-outs by every parameter and input, back through the steps that were taken:
// the order of events of compile/backstep.py and engines/gradient.py. `found` is
// {value, byParameter, byKnob}; a read-out is {name, kind, at, from, until}, times in hours.
const PLACES = 5;
// Gauss's three places in a stretch and their weights: exact for what is of degree five.
const GAUSS = [[0.5 - Math.sqrt(0.15), 5 / 18], [0.5, 8 / 18], [0.5 + Math.sqrt(0.15), 5 / 18]];

function makeGradient(engine) {
  const { x, w, N, observers } = engine, n = N.n, row = 2 + 5 * n;
  let tape = new Float64Array(row * 256), steps = 0, segments = [];

  function note(t, h, e) {
    if ((steps + 1) * row > tape.length) {
      const longer = new Float64Array(2 * tape.length);
      longer.set(tape);
      tape = longer;
    }
    engine.dense();
    const o = steps * row;
    tape[o] = t;
    tape[o + 1] = h;
    tape.set(w.subarray(N.y, N.y + n), o + 2);
    tape.set(w.subarray(N.us8, N.us8 + n), o + 2 + n);
    [N.d1, N.d2, N.d3].forEach((at, k) => tape.set(w.subarray(at, at + n), o + 2 + (2 + k) * n));
    segments[steps++] = e;
  }

  // Where a read-out looks: [step, share, weight], a few for an extreme, five a step for an area.
  function looks(readout, valueIn) {
    const found = [];
    const stepOf = (t) => { let k = steps - 1; while (k > 0 && tape[k * row] > t) k--; return k; };
    const shareIn = (k, t) => Math.min(1, Math.max(0, (t - tape[k * row]) / tape[k * row + 1]));
    if (readout.kind === "at") {
      const k = stepOf(readout.at);
      found.push([k, shareIn(k, readout.at), 1]);
    } else if (readout.kind === "auc") {
      for (let k = 0; k < steps; k++) {
        const t = tape[k * row], h = tape[k * row + 1];
        const a = Math.max(0, (readout.from - t) / h), b = Math.min(1, (readout.until - t) / h);
        if (a < b) for (const [at, weight] of GAUSS) found.push([k, a + (b - a) * at, weight * h * (b - a)]);
      }
    } else {
      const sign = readout.kind === "peak" ? 1 : -1, times = [], values = [];
      for (let k = 0; k < steps; k++) {
        for (let i = 0; i < PLACES; i++) {
          times.push(tape[k * row] + 0.25 * i * tape[k * row + 1]);
          values.push(valueIn(k, 0.25 * i));
        }
      }
      const top = extreme({ times }, values, sign, readout.from, readout.until), k = stepOf(top.time);
      found.push([k, shareIn(k, top.time), 1]);
    }
    return found;
  }

  function lay(k, share) {
    const o = k * row + 2, a = 1 - share;
    for (const i of N.need) {
      const bend = tape[o + 2 * n + i] + share * (tape[o + 3 * n + i] + share * tape[o + 4 * n + i]);
      w[N.z + i] = a * tape[o + i] + share * (tape[o + n + i] + a * bend);
    }
  }

  const clear = (at, count) => w.fill(0, at, at + count);

  function gradient(job, readout) {
    const seen = observers[readout.name];
    steps = 0;
    const run = engine.run(job, note);
    if (run.status !== OK) return null;
    let entered = -1;
    const enter = (e) => { if (e !== entered) { engine.enter(job, e); entered = e; } };
    const valueIn = (k, share) => { enter(segments[k]); lay(k, share); x.observe(0); return w[seen.at]; };
    const where = looks(readout, valueIn);
    const value = where.reduce((sum, [k, share, weight]) => sum + weight * valueIn(k, share), 0);
    const byStep = new Map();
    for (const one of where) byStep.set(one[0], [...(byStep.get(one[0]) || []), one]);
    const found = { value, byParameter: new Float64Array(N.parameters), byKnob: new Float64Array(N.knobs) };
    const lam = back(job, seen, byStep, found);
    if (job.settled) atRest(job, lam, found); else fromRest(job, lam, found);
    return found;
  }

  function back(job, seen, byStep, found) {
    const lam = new Float64Array(n), seeds = [0, 1, 2, 3, 4].map(() => new Float64Array(n));
    for (let k = steps - 1; k >= 0; k--) {
      const e = segments[k], o = k * row;
      if (k === steps - 1 || e !== segments[k + 1]) { engine.enter(job, e); clear(N.cb, N.constants); }
      const looked = byStep.get(k);
      if (looked) seed(looked, seen, seeds);
      w[N.hinv] = 1 / tape[o + 1];
      w[N.g] = 1 / (tape[o + 1] * N.gamma);
      w.set(tape.subarray(o + 2, o + 2 + n), N.y);
      if (looked) for (let i = 0; i < n; i++) lam[i] += seeds[1][i];
      w.set(lam, N.lam);
      if (looked) w.set(seeds[0], N.z); else clear(N.z, n);
      [N.d1, N.d2, N.d3].forEach((at, d) => { if (looked) w.set(seeds[2 + d], at); });
      x.again(0);
      for (let s = N.stages; s >= 1; s--) {
        x["combine_back_" + s](0);
        if (looked) for (const i of seen.states) x["plant_" + s](8 * i);
        x["back_" + s](0);
      }
      byEntries();
      x.finish(0);
      lam.set(w.subarray(N.lam, N.lam + n));
      if (k === 0 || segments[k - 1] !== e) leave(found);
    }
    return lam;
  }

  // A change of the Jacobian's entry (i, j) changes each stage's slope by its own stage j.
  function byEntries() {
    N.entries.forEach(([i, j], at) => {
      let sum = 0;
      for (let s = 0; s < N.stages; s++) sum += w[N.qb + s * n + i] * w[N.stage + s * n + j];
      w[N.jb + at] = sum;
    });
  }

  // What is read within a step, by its two ends and the three rows of its dense output.
  function seed(looked, seen, seeds) {
    for (const one of seeds) one.fill(0);
    const by = new Float64Array(n);
    for (const [k, share, weight] of looked) {
      if (seen.constant >= 0) { w[N.cb + seen.constant] += weight; continue; }
      if (seen.law < 0) by[seen.states[0]] = weight;
      else {
        lay(k, share);
        w.copyWithin(N.y, N.z, N.z + n);
        clear(N.yb, n);
        clear(N.ob, N.seen);
        w[N.ob + seen.law] = weight;
        x.observe_back(0);
        for (const i of seen.states) by[i] = w[N.yb + i];
      }
      const a = 1 - share, parts = [a, share, share * a, share * share * a, share ** 3 * a];
      parts.forEach((part, d) => { for (const i of seen.states) seeds[d][i] += part * by[i]; });
    }
  }

  // A segment's constants are what parameters and inputs act through.
  function leave(found) {
    clear(N.pb, N.parameters);
    clear(N.kb, N.knobs);
    x.prepare_back(0);
    for (let i = 0; i < N.parameters; i++) found.byParameter[i] += w[N.pb + i];
    for (let i = 0; i < N.knobs; i++) found.byKnob[i] += w[N.kb + i];
  }

  function fromRest(job, lam, found) {
    w.set(lam, N.lam);
    restBack(found);
  }

  function restBack(found) {
    clear(N.pb, N.parameters);
    clear(N.kb, N.knobs);
    x.rest_back(0);
    for (let i = 0; i < N.parameters; i++) found.byParameter[i] += w[N.pb + i];
  }

  // Through a resting start: at rest the slopes are 0, and what is conserved is what was there. One
  // slope of each pool follows from the others and gives its place to the pool.
  function atRest(job, lam, found) {
    const rest = engine.settle(job.p, job.before), rows = [];
    const still = { ...job, knobs: [job.before], rates: [new Float64Array(n)] };
    const start = () => {
      engine.enter(still, 0);
      w.set(rest, N.y);
      w[N.g] = 1;
      x.factor(0);
      clear(N.jb, N.entries.length);
    };
    start();
    for (let i = 0; i < n; i++) {
      clear(N.qb1, n);
      clear(N.yb, n);
      clear(N.cb, N.constants);
      w[N.qb1 + i] = 1;
      x.first_back(0);
      rows.push(w.slice(N.yb, N.yb + n));
    }
    for (const pool of N.pools) rows[pool[0]] = Float64Array.from({ length: n }, (_, i) => +pool.includes(i));
    const left = solveTransposed(rows, lam), held = new Float64Array(n);
    for (const pool of N.pools) { for (const i of pool) held[i] += left[pool[0]]; left[pool[0]] = 0; }
    start();
    clear(N.yb, n);
    clear(N.cb, N.constants);
    for (let i = 0; i < n; i++) w[N.qb1 + i] = -left[i];
    x.first_back(0);
    leave(found);
    w.set(held, N.lam);
    restBack(found);
  }

  return gradient;
}

// Solve A' x = b for the rows of A, with pivots.
function solveTransposed(rows, b) {
  const n = b.length, a = Array.from({ length: n }, (_, i) => Float64Array.from(rows, (one) => one[i]));
  const x = Float64Array.from(b);
  for (let k = 0; k < n; k++) {
    let best = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(a[i][k]) > Math.abs(a[best][k])) best = i;
    [a[k], a[best]] = [a[best], a[k]];
    [x[k], x[best]] = [x[best], x[k]];
    for (let i = k + 1; i < n; i++) {
      const factor = a[i][k] / a[k][k];
      if (factor === 0) continue;
      for (let j = k; j < n; j++) a[i][j] -= factor * a[k][j];
      x[i] -= factor * x[k];
    }
  }
  for (let k = n - 1; k >= 0; k--) {
    for (let j = k + 1; j < n; j++) x[k] -= a[k][j] * x[j];
    x[k] /= a[k][k];
  }
  return x;
}
