// Panels as figures have them: the hours after the first event, then the days, on one picture each.
const DAY = 24, FIRST = 6, LEAD = 1, SINGLE = 12, FIRST_SHARE = 0.42;
const WIDE = 340, LEFT = 46, RIGHT = 6, HEAD = 6, FOOT = 30, TEAR = 8, HIGH = 118;
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

function niceTicks(low, high, most = 5) {
  const raw = (high - low) / most, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((s) => s * power).find((s) => s >= raw) || raw;
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
  const room = 0.06 * (high - low);
  return [panel.zero && low === 0 ? 0 : low - room, high + room];
}

// A panel as the text of an SVG. A layer is {name, times, values, colour, dash, faint, low, high, points}.
function panelSvg(panel, layers, shown, facts, words) {
  const [low, high] = rangeOf(panel, layers, facts), axes = axesOf(shown.windows, low, high, panel.tall);
  const out = [`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDE} ${axes.total}" role="img" aria-label="${escaped(words)}" tabindex="0">`];
  const base = HEAD + axes.height;
  for (const part of axes.parts) {
    for (const mark of shown.marks) {
      if (mark.until < part.from || mark.from > part.until) continue;
      const a = axes.X(part, Math.max(mark.from, part.from)), b = axes.X(part, Math.min(mark.until, part.until));
      if (mark.kind === "hold" && mark.from <= part.from && mark.until >= part.until) continue;
      out.push(`<rect class="${mark.kind}" x="${a.toFixed(1)}" y="${HEAD}" width="${Math.max(b - a, 1).toFixed(1)}" height="${axes.height}"/>`);
    }
    out.push(`<path class="axis" d="M${part.x} ${base}h${part.wide}"/>`);
    for (const [t, text] of ticksOf(part)) {
      const x = axes.X(part, t).toFixed(1);
      out.push(`<path class="axis" d="M${x} ${base}v3"/><text x="${x}" y="${base + 13}" text-anchor="middle">${text}</text>`);
    }
    out.push(`<text x="${part.x + part.wide / 2}" y="${base + 26}" text-anchor="middle">${part.unit === "d" ? "days" : "hours"}</text>`);
  }
  for (const v of niceTicks(low, high)) {
    out.push(`<path class="grid" d="M${LEFT} ${axes.Y(v).toFixed(1)}H${WIDE - RIGHT}"/><text x="${LEFT - 4}" y="${(axes.Y(v) + 3.5).toFixed(1)}" text-anchor="end">${short(v)}</text>`);
  }
  out.push(`<text class="measure" transform="translate(10 ${HEAD + axes.height / 2}) rotate(-90)" text-anchor="middle">${escaped(pretty(panel.measure))}</text>`);
  for (const layer of layers) {
    const factor = facts.names[layer.name].factor;
    for (const part of axes.parts) {
      if (layer.low) out.push(`<path class="band" style="fill:${layer.colour}" d="${bandOf(axes, part, layer.times, layer.low, layer.high, factor)}"/>`);
      if (layer.values) {
        const look = `curve${layer.faint ? " faint" : ""}${layer.wide ? " rival" : ""}`, dash = layer.dash ? ` stroke-dasharray="${layer.dash}"` : "";
        out.push(`<path class="${look}" style="stroke:${layer.colour}"${dash} d="${pathOf(axes, part, layer.times, layer.values, factor)}"/>`);
      }
      for (const p of layer.points || []) {
        if (p.time < part.from || p.time > part.until) continue;
        const x = axes.X(part, p.time).toFixed(1);
        out.push(`<path class="error" d="M${x} ${axes.Y(p.value - p.error).toFixed(1)}V${axes.Y(p.value + p.error).toFixed(1)}"/><circle class="point" cx="${x}" cy="${axes.Y(p.value).toFixed(1)}" r="2.6"/>`);
      }
    }
  }
  out.push(`<path class="cursor" d=""/></svg>`);
  return { svg: out.join(""), axes };
}
