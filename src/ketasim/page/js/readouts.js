// Numbers of a course: the rules of readouts/course.py. A course holds five places of each step;
// the curve through them is of degree four.
const AREA = [7 / 90, 32 / 90, 12 / 90, 32 / 90, 7 / 90];

function through(v, o) {
  const [a, b, c, d, e] = [v[o], v[o + 1], v[o + 2], v[o + 3], v[o + 4]];
  return [
    a,
    (-25 * a + 48 * b - 36 * c + 16 * d - 3 * e) / 3,
    (70 * a - 208 * b + 228 * c - 112 * d + 22 * e) / 3,
    (-80 * a + 288 * b - 384 * c + 224 * d - 48 * e) / 3,
    (32 * a - 128 * b + 192 * c - 128 * d + 32 * e) / 3,
  ];
}

const polynomial = (q, s) => q[0] + s * (q[1] + s * (q[2] + s * (q[3] + s * q[4])));
const slope = (q, s) => q[1] + s * (2 * q[2] + s * (3 * q[3] + s * 4 * q[4]));

function valueAt(course, values, t) {
  const n = course.times.length;
  let low = 0, high = n / 5 - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (course.times[5 * middle] <= t) low = middle; else high = middle - 1;
  }
  const o = 5 * low, h = course.times[o + 4] - course.times[o];
  return polynomial(through(values, o), Math.min(1, Math.max(0, (t - course.times[o]) / h)));
}

// The extreme of a sign in a window, with its time [h]; the first of several alike.
function extreme(course, values, sign, from = -Infinity, until = Infinity) {
  let best = -Infinity, when = NaN;
  const offer = (v, t) => { if (sign * v > best) { best = sign * v; when = t; } };
  for (let o = 0; o < course.times.length; o += 5) {
    const t = course.times[o], h = course.times[o + 4] - t;
    if (t + h < from || t > until) continue;
    const a = Math.max(0, (from - t) / h), b = Math.min(1, (until - t) / h);
    const q = through(values, o);
    offer(polynomial(q, a), t + a * h);
    for (let k = 0; k < 8; k++) {
      let low = a + (b - a) * k / 8, high = a + (b - a) * (k + 1) / 8;
      const rises = sign * slope(q, low) > 0;
      if (!rises || sign * slope(q, high) > 0) continue;
      for (let i = 0; i < 40; i++) {
        const middle = 0.5 * (low + high);
        if (sign * slope(q, middle) > 0) low = middle; else high = middle;
      }
      offer(polynomial(q, low), t + low * h);
    }
    offer(polynomial(q, b), t + b * h);
  }
  return { value: sign * best, time: when };
}

function area(course, values, from, until) {
  let total = 0;
  for (let o = 0; o < course.times.length; o += 5) {
    const t = course.times[o], h = course.times[o + 4] - t;
    const a = Math.max(0, (from - t) / h), b = Math.min(1, (until - t) / h);
    if (!(a < b)) continue;
    const q = through(values, o), length = b - a;
    for (let k = 0; k < 5; k++) total += AREA[k] * h * length * polynomial(q, a + length * 0.25 * k);
  }
  return total;
}

// A row of the table: start, largest change, its time, value after a day, area of the change.
function summarise(course, values, start, from, until) {
  const up = extreme(course, values, 1, from, until), down = extreme(course, values, -1, from, until);
  const peak = Math.abs(up.value - start) >= Math.abs(down.value - start) ? up : down;
  const day = from <= 24 && until >= 24 ? valueAt(course, values, 24) : NaN;
  return { start, peak: peak.value, when: peak.time, day, last: values[values.length - 1],
    area: area(course, values, from, until) - start * (until - from) };
}
