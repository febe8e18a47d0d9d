// Virtual subjects: each drawn from its own number alone, so that no count of workers moves it.
function shareOf(seed, member, column) {
  let a = (seed * 0x9e3779b1) ^ (member * 0x85ebca77) ^ (column * 0xc2b2ae3d);
  for (let i = 0; i < 3; i++) {
    a = Math.imul(a ^ (a >>> 16), 0x21f0aaad);
    a = Math.imul(a ^ (a >>> 15), 0x735a2d97);
    a ^= a >>> 15;
  }
  return ((a >>> 0) + 0.5) / 4294967296;
}

// The inverse of the normal distribution function (Wichura 1988, AS 241, double precision).
function quantile(p) {
  const q = p - 0.5;
  const ratio = (r, a, b) => a.reduceRight((s, c) => s * r + c, 0) / b.reduceRight((s, c) => s * r + c, 0);
  if (Math.abs(q) <= 0.425) return q * ratio(0.180625 - q * q, AS241[0], AS241[1]);
  let r = Math.sqrt(-Math.log(q < 0 ? p : 1 - p));
  r = r <= 5 ? ratio(r - 1.6, AS241[2], AS241[3]) : ratio(r - 5, AS241[4], AS241[5]);
  return q < 0 ? -r : r;
}

const AS241 = [
  [3.387132872796366608, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
    45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727],
  [1, 42.313330701600911252, 687.1870074920579083, 5394.1960214247511077, 21213.794301586595867,
    39307.89580009271061, 28729.085735721942674, 5226.495278852545925],
  [1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504,
    1.27045825245236838258, 0.24178072517745061177, 0.0227238449892691845833, 7.7454501427834140764e-4],
  [1, 2.05319162663775882187, 1.6763848301838038494, 0.68976733498510000455, 0.14810397642748007459,
    0.0151986665636164571966, 5.475938084995344946e-4, 1.05075007164441684324e-9],
  [6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 0.29656057182850489123,
    0.026532189526576123093, 0.0012426609473880784386, 2.71155556874348757815e-5, 2.01033439929228813265e-7],
  [1, 0.59983220655588793769, 0.13692988092273580531, 0.0148753612908506148525,
    7.868691311456132591e-4, 1.8463183175100546818e-5, 1.4215117583164458887e-7, 2.04426310338993978564e-15],
];

// The normal distribution function, well enough for the ends of a cut-off distribution.
function normal(x) {
  let low = -9, high = 9;
  if (x <= low) return 0;
  if (x >= high) return 1;
  let a = 1e-20, b = 1 - 1e-16;
  for (let i = 0; i < 80; i++) { const m = 0.5 * (a + b); if (quantile(m) < x) a = m; else b = m; }
  return 0.5 * (a + b);
}

// A value of a distribution at a share, as studies/designs/distributions.py has it.
function drawn(one, share) {
  if (one.kind === "uniform") return one.a + share * (one.b - one.a);
  if (one.kind === "loguniform") return one.a * Math.exp(share * Math.log(one.b / one.a));
  const s = Math.log(one.b);
  if (one.ends === undefined) {
    one.ends = [one.low, one.high].map((end) => normal(Math.log(end / one.a) / s));
  }
  const within = one.ends[0] + share * (one.ends[1] - one.ends[0]);
  return Math.min(one.high, Math.max(one.low, one.a * Math.exp(s * quantile(within))));
}

function ledgerRange(param) {
  return { kind: param.low > 0 ? "loguniform" : "uniform", a: param.low, b: param.high };
}

// The setting and parameters of one virtual subject. `scope` is "body", "uncertain" or "both".
function subject(facts, setting, scope, seed, member) {
  const own = { ...setting, params: { ...setting.params } };
  if (scope !== "body") {
    facts.params.forEach((one, i) => {
      if (one.role === "" && one.low < one.high && !(one.name in setting.params)) {
        own.params[one.name] = drawn(ledgerRange(one), shareOf(seed, member, 1000 + i));
      }
    });
  }
  if (scope !== "uncertain") {
    facts.traits[setting.species].forEach((trait, k) => {
      const value = drawn(trait, shareOf(seed, member, k));
      if (trait.parameter) own.weight = value;
      for (const name of trait.scales) {
        const at = facts.params[facts.index[name]];
        own.params[name] = (own.params[name] ?? at.value) * value;
      }
    });
  }
  return own;
}

// Courses of subjects from one number to another: values[name][time * count + subject].
function runSubjects(engine, facts, ask) {
  const count = ask.to - ask.from, n = ask.times.length;
  const values = ask.names.map(() => new Float32Array(n * count));
  let failed = 0;
  for (let i = 0; i < count; i++) {
    const own = subject(facts, ask.setting, ask.scope, ask.seed, ask.from + i);
    let found = null;
    try { found = engine.at(makeJob(facts, own, ask.rtol), ask.names, ask.times); } catch { /* counted */ }
    if (!found || found.status !== OK) failed++;
    for (let q = 0; q < values.length; q++) {
      const from = found && found.status === OK ? found.values[q] : null;
      for (let k = 0; k < n; k++) values[q][k * count + i] = from ? from[k] : NaN;
    }
  }
  return { values, failed, count };
}

// Put the k-th smallest of a[low..high] at its place, smaller ones before it and larger ones behind
// (Hoare's selection): a tenth of what sorting all of them takes.
function select(a, k, low, high) {
  while (low < high) {
    const pivot = a[(low + high) >> 1];
    let i = low, j = high;
    while (i <= j) {
      while (a[i] < pivot) i++;
      while (a[j] > pivot) j--;
      if (i <= j) { const v = a[i]; a[i++] = a[j]; a[j--] = v; }
    }
    if (k <= j) high = j;
    else if (k >= i) low = i;
    else break;
  }
  return a[k];
}

// Quantiles over subjects at each time, shares in order; what failed is left out.
function bandsOf(parts, n, shares) {
  const total = parts.reduce((sum, one) => sum + one.count, 0);
  const column = new Float32Array(total), found = shares.map(() => new Float64Array(n));
  for (let k = 0; k < n; k++) {
    let m = 0;
    for (const { values, count } of parts) {
      for (let i = 0; i < count; i++) { const v = values[k * count + i]; if (v === v) column[m++] = v; }
    }
    let from = 0;
    shares.forEach((share, s) => {
      const at = share * (m - 1), low = Math.floor(at), rest = at - low;
      if (!m) { found[s][k] = NaN; return; }
      found[s][k] = select(column, low, from, m - 1) * (1 - rest) + (rest ? select(column, low + 1, low, m - 1) * rest : 0);
      from = low;
    });
  }
  return found;
}
