// Panels as figures have them: the hours after the first event, then the days, on one picture each.
const DAY = 24, FIRST = 6, LEAD = 1, SINGLE = 12, FIRST_SHARE = 0.42;
const WIDE = 340, LEFT = 46, RIGHT = 9, HEAD = 6, FOOT = 30, TEAR = 8, HIGH = 118;
const STEPS_H = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 3, 6, 12, 24], STEPS_D = [1, 2, 7, 14, 28, 56, 91, 182, 364];

function timeWindows(begin, end, onset) {
  if (end - begin <= SINGLE) return [{ from: begin, until: end, unit: "h", share: 1 }];
  const event = Math.min(Math.max(onset ?? begin, begin), end);
  const from = Math.max(begin, event - LEAD), until = Math.min(event + FIRST, end);
  const rest = from <= begin ? until : begin;
  return [
    { from, until, unit: "h", share: FIRST_SHARE },
    { from: rest, until: end, unit: end - rest > 2 * DAY ? "d" : "h", share: 1 - FIRST_SHARE },
  ];
}

function ticksOf(win) {
  const size = win.unit === "d" ? DAY : 1, length = (win.until - win.from) / size;
  const step = (win.unit === "d" ? STEPS_D : STEPS_H).find((s) => length / s <= 6) || length / 6;
  const found = [];
  for (let i = Math.ceil(win.from / size / step - 1e-9); i * step * size <= win.until + 1e-9; i++) {
    found.push([i * step * size, String(+(i * step).toPrecision(6))]);
  }
  return found;
}

function niceStep(low, high, most) {
  const raw = (high - low) / most, power = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 2.5, 5, 10].map((s) => s * power).find((s) => s >= raw) || raw;
}

function niceTicks(low, high) {
  const step = niceStep(low, high, 5);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) found.push(i * step);
  return found;
}

function short(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(2);
  return String(+value.toPrecision(4)).replace("-", "−");
}

// A unit as it is printed.
const pretty = (unit) => unit.replace(/\bu(?=(mol|[MLg])\b)/g, "µ");

const escaped = (text) => String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

// The places of a panel's two windows, and how time and value become points on paper.
function axesOf(windows, low, high, tall) {
  const height = HIGH * tall, free = WIDE - LEFT - RIGHT - TEAR * (windows.length - 1);
  let x = LEFT;
  const parts = windows.map((win) => {
    const part = { ...win, x, wide: free * win.share };
    x += part.wide + TEAR;
    return part;
  });
  const Y = (v) => HEAD + height * (1 - (v - low) / (high - low));
  const X = (part, t) => part.x + part.wide * (t - part.from) / (part.until - part.from);
  return { parts, X, Y, height, total: HEAD + height + FOOT };
}

const tenth = (v) => Math.round(10 * v) / 10;

// A curve within a window; places nearer than a pixel to the one before are left out.
function pathOf(axes, part, times, values, factor) {
  const n = times.length, scale = part.wide / (part.until - part.from), last = times[n - 1];
  let text = "", pen = "M", i = 0, x0 = -9, y0 = -9;
  while (i + 1 < n && times[i + 1] < part.from) i++;
  for (; i < n; i++) {
    let t = times[i], v = values[i];
    if (t < part.from && i + 1 < n) {
      v += (part.from - t) / (times[i + 1] - t) * (values[i + 1] - v);
      t = part.from;
    } else if (t > part.until && i > 0) {
      const before = times[i - 1];
      if (before >= part.until) break;
      v = values[i - 1] + (part.until - before) / (t - before) * (v - values[i - 1]);
      t = part.until;
    }
    if (v !== v) { pen = "M"; continue; }
    const x = tenth(part.x + scale * (t - part.from)), y = tenth(axes.Y(v / factor));
    if (pen === "L" && t < part.until && t < last && x - x0 < 0.8 && Math.abs(y - y0) < 0.8) continue;
    text += pen + x + " " + y;
    pen = "L";
    x0 = x;
    y0 = y;
  }
  return text;
}

function bandOf(axes, part, times, low, high, factor) {
  const up = [], down = [];
  for (let i = 0; i < times.length; i++) {
    if (times[i] < part.from || times[i] > part.until || !(low[i] === low[i])) continue;
    const x = tenth(axes.X(part, times[i]));
    up.push(x + " " + tenth(axes.Y(high[i] / factor)));
    down.push(x + " " + tenth(axes.Y(low[i] / factor)));
  }
  return up.length ? "M" + up.join("L") + "L" + down.reverse().join("L") + "Z" : "";
}

function rangeOf(panel, layers, facts) {
  let low = Infinity, high = -Infinity;
  const take = (v) => { if (v < low) low = v; if (v > high) high = v; };
  for (const layer of layers) {
    const factor = facts.names[layer.name].factor;
    for (const values of [layer.values, layer.low, layer.high]) {
      if (values) for (let i = 0; i < values.length; i++) take(values[i] / factor);
    }
    for (const p of layer.points || []) { take(p.value - p.error); take(p.value + p.error); }
  }
  if (!(high >= low)) return [0, 1];
  if (panel.zero) low = low < -0.02 * Math.abs(high) ? Math.min(low, 0) : 0;
  const least = 0.02 * Math.max(Math.abs(low), Math.abs(high)) || 1;
  if (high - low < least) [low, high] = panel.zero ? [low, low + least] : [(low + high - 2 * least) / 2, (low + high + 2 * least) / 2];
  // Ends are round numbers, so that an axis stands still while a slider moves.
  const room = 0.03 * (high - low), step = niceStep(low, high, 8);
  const down = panel.zero && low === 0 ? 0 : Math.floor((low - room) / step) * step;
  return [down, Math.ceil((high + room) / step) * step];
}

// What stands still in a panel: axes, shades, words.
function frameOf(panel, axes, low, high, marks) {
  const out = [], base = HEAD + axes.height;
  for (const part of axes.parts) {
    for (const mark of marks) {
      if (mark.until < part.from || mark.from > part.until) continue;
      const a = axes.X(part, Math.max(mark.from, part.from)), b = axes.X(part, Math.min(mark.until, part.until));
      if (mark.kind === "hold" && mark.from <= part.from && mark.until >= part.until) continue;
      out.push(`<rect class="${mark.kind}" x="${tenth(a)}" y="${HEAD}" width="${Math.max(tenth(b - a), 1)}" height="${axes.height}"/>`);
    }
    out.push(`<path class="axis" d="M${part.x} ${base}h${part.wide}"/>`);
    for (const [t, text] of ticksOf(part)) {
      const x = tenth(axes.X(part, t));
      out.push(`<path class="axis" d="M${x} ${base}v3"/><text x="${x}" y="${base + 13}" text-anchor="middle">${text}</text>`);
    }
    out.push(`<text x="${part.x + part.wide / 2}" y="${base + 26}" text-anchor="middle">${part.unit === "d" ? "days" : "hours"}</text>`);
  }
  for (const v of niceTicks(low, high)) {
    out.push(`<path class="grid" d="M${LEFT} ${tenth(axes.Y(v))}H${WIDE - RIGHT}"/><text x="${LEFT - 4}" y="${tenth(axes.Y(v) + 3.5)}" text-anchor="end">${short(v)}</text>`);
  }
  out.push(`<text class="measure" transform="translate(10 ${HEAD + axes.height / 2}) rotate(-90)" text-anchor="middle">${escaped(pretty(panel.measure))}</text>`);
  return out.join("");
}

// Half a pixel of a panel in hours, at any time: what is nearer to the one before is not seen.
const gapsOf = (parts) => (t) => {
  let gap = Infinity;
  for (const part of parts) {
    if (t >= part.from && t <= part.until) gap = Math.min(gap, 0.5 * (part.until - part.from) / part.wide);
  }
  return gap;
};

// What moves: paths, each with its look and its way. A layer is {name, times, values, colour, dash, faint, wide, low, high, points}.
function curvesOf(layers, axes, facts) {
  const out = [], add = (look, d) => out.push({ look: `<path ${look} d=""/>`, d });
  for (const layer of layers) {
    const factor = facts.names[layer.name].factor;
    for (const part of axes.parts) {
      if (layer.low) add(`class="band" style="fill:${layer.colour}"`, bandOf(axes, part, layer.times, layer.low, layer.high, factor));
      if (layer.values) {
        const look = `curve${layer.faint ? " faint" : ""}${layer.wide ? " rival" : ""}`, dash = layer.dash ? ` stroke-dasharray="${layer.dash}"` : "";
        add(`class="${look}" style="stroke:${layer.colour}"${dash}`, pathOf(axes, part, layer.times, layer.values, factor));
      }
      for (const p of layer.points || []) {
        if (p.time < part.from || p.time > part.until) continue;
        const x = tenth(axes.X(part, p.time)), y = tenth(axes.Y(p.value));
        add('class="error"', `M${x} ${tenth(axes.Y(p.value - p.error))}V${tenth(axes.Y(p.value + p.error))}`);
        add('class="point"', `M${x - 2.6} ${y}a2.6 2.6 0 1 0 5.2 0a2.6 2.6 0 1 0 -5.2 0`);
      }
    }
  }
  return out;
}

// A frame is kept where nothing in it has changed since `was`.
function panelOf(panel, layers, shown, facts, was) {
  const [low, high] = rangeOf(panel, layers, facts), axes = axesOf(shown.windows, low, high, panel.tall);
  const key = JSON.stringify([panel.title, panel.measure, low, high, shown.windows, shown.marks]);
  const frame = was && was.key === key ? was.frame : frameOf(panel, axes, low, high, shown.marks);
  return { axes, key, frame, curves: curvesOf(layers, axes, facts) };
}
