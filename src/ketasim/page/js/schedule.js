// What is asked, as segments of constant input: the rules of core/schedule.py and core/protocol.py.
// A setting is {species, weight, doses, holds, baths, until, from, params, hypothesis}, all times in
// hours; see setting.js. The agreement test holds each against the Python scenario.
const SNAP = 1e-9;

function doseTimes(dose) {
  if (dose.at) return dose.at;
  const times = [], every = dose.every && dose.every.length ? dose.every : [24];
  let t = dose.start;
  for (let i = 0; i < dose.times; i++) { times.push(t); t += every[i % every.length]; }
  return times;
}

function entering(facts, dose, weight) {
  const drug = facts.drugs.find((one) => one.name === dose.drug);
  let into = drug.routes[dose.route];
  if (dose.share !== undefined && dose.share !== null && into.length === 2) {
    into = [[into[0][0], dose.share], [into[1][0], 1 - dose.share]];
  }
  const milligrams = dose.amount * (dose.unit === "mg/kg" ? weight : 1);
  return into.map(([state, share]) => [state, share * milligrams / drug.mass]);
}

function windows(facts, setting) {
  const held = setting.holds.map((one) => ({ ...one, knob: facts.knobs.findIndex((k) => k.name === one.knob) }));
  for (const bath of setting.baths) {
    const drug = facts.drugs.find((one) => one.name === bath.drug);
    for (const [knob, share] of drug.bath) {
      held.push({ knob, level: bath.level * share, from: bath.from, until: bath.until, factor: 1 });
    }
  }
  return held.map((one) => ({
    knob: one.knob,
    value: one.level * (one.factor || facts.knobs[one.knob].factor),
    from: one.from === "always" ? -Infinity : one.from,
    until: one.until === null || one.until === undefined ? Infinity : one.until,
  }));
}

// Parameters in canonical units, in the model's order.
function parameters(facts, setting) {
  const p = Float64Array.from(facts.params, (one) => one.value * one.factor);
  if (facts.weight >= 0) p[facts.weight] = setting.weight;
  const chosen = facts.hypotheses.find((one) => one.name === setting.hypothesis);
  const values = { ...(chosen ? chosen.values[setting.species === "human" ? "human" : "mouse"] : {}), ...setting.params };
  for (const [name, value] of Object.entries(values)) {
    const at = facts.index[name];
    if (at !== undefined) p[at] = value * facts.params[at].factor;
  }
  return p;
}

function nearest(edges, moment) {
  let after = edges.findIndex((one) => one >= moment);
  after = Math.min(Math.max(after < 0 ? edges.length - 1 : after, 1), edges.length - 1);
  return moment - edges[after - 1] <= edges[after] - moment ? after - 1 : after;
}

function breakpoints(begin, end, spans) {
  const moments = [begin, end];
  for (const [a, b] of spans) for (const m of [a, b]) if (begin <= m && m <= end) moments.push(m);
  moments.sort((a, b) => a - b);
  const kept = [moments[0]];
  for (const m of moments) if (m - kept[kept.length - 1] > SNAP) kept.push(m);
  if (kept.length > 1) kept[kept.length - 1] = Math.max(kept[kept.length - 1], end);
  return kept;
}

// The job of a setting for the engine; throws an Error with a sentence where there is none.
function makeJob(facts, setting, rtol) {
  const held = windows(facts, setting);
  const given = setting.doses.flatMap((dose) =>
    doseTimes(dose).map((t) => ({ start: t, stop: t + dose.over, into: entering(facts, dose, setting.weight) })));
  check(facts, setting, held, given);
  const starts = [...given, ...held].map((one) => one.start ?? one.from).filter(Number.isFinite);
  const begin = Math.min(setting.from, ...starts);
  const spans = [...given.map((one) => [one.start, one.stop]), ...held.map((one) => [one.from, one.until])];
  const edges = breakpoints(begin, setting.until, spans), n = edges.length - 1;
  const states = facts.engine.n, zeros = () => new Float64Array(states);
  const rates = Array.from({ length: n }, zeros), boluses = Array.from({ length: n + 1 }, zeros);
  for (const one of given) {
    const first = nearest(edges, one.start), last = nearest(edges, one.stop);
    for (const [state, amount] of one.into) {
      if (first === last) { boluses[first][state] += amount; continue; }
      const rate = amount / (edges[last] - edges[first]);
      for (let e = first; e < last; e++) rates[e][state] += rate;
    }
  }
  const neutral = Float64Array.from(facts.engine.neutral);
  const knobs = Array.from({ length: n }, () => neutral.slice()), before = neutral.slice();
  for (const one of held) {
    if (one.from === -Infinity) before[one.knob] = one.value;
    for (let e = nearest(edges, one.from); e < nearest(edges, one.until); e++) knobs[e][one.knob] = one.value;
  }
  const settled = held.some((one) => one.from === -Infinity);
  return { p: parameters(facts, setting), knobs, rates, boluses, edges, before, settled, rtol };
}

function check(facts, setting, held, given) {
  const sorted = [...held].sort((a, b) => a.knob - b.knob || a.from - b.from);
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i].knob === sorted[i - 1].knob && sorted[i].from < sorted[i - 1].until - SNAP) {
      throw new Error(`two windows hold ${facts.knobs[sorted[i].knob].meaning} at once; give one for each time.`);
    }
  }
  for (const one of held) {
    const knob = facts.knobs[one.knob];
    if (!(one.from < one.until)) throw new Error(`${knob.meaning}: its window is empty.`);
    if (!(one.value >= knob.low * knob.factor && one.value <= knob.high * knob.factor)) {
      throw new Error(`${knob.meaning}: must lie between ${knob.low} and ${knob.high} ${knob.unit}.`);
    }
  }
  if (given.some((one) => one.stop > setting.until + SNAP)) {
    throw new Error("the last dose ends after the run does; look longer.");
  }
  if (given.some((one) => !one.into.every(([, amount]) => Number.isFinite(amount) && amount >= 0))) {
    throw new Error("a dose must be a number >= 0.");
  }
}
