// What is asked, in words; what differs between two settings; which panels show it.
const SENTENCES = { 2: "the run took too many steps.", 5: "the run stopped: its steps became too small.", 8: "no resting state was found under what always held." };

function doseWords(facts, setting) {
  const drug = (name) => facts.drugs.find((one) => one.name === name).meaning;
  const told = setting.doses.map((one) => {
    const many = doseTimes(one).length;
    return `${many > 1 ? `${many} × ` : ""}${short(one.amount)} ${one.unit} ${drug(one.drug)} ${one.route}${one.over > 0 ? ` over ${short(60 * one.over)} min` : ""}`;
  });
  for (const one of setting.baths) told.push(`${short(one.level)} µM ${drug(one.drug)} in the bath`);
  const held = setting.holds.map((one) => `${facts.knobs.find((k) => k.name === one.knob).meaning.split(";")[0]} ${short(one.level)}`);
  return `${setting.species[0].toUpperCase()}${setting.species.slice(1)}, ${short(setting.weight)} kg: ${[...told, ...held].join("; ") || "nothing is done"}.`;
}

function differences(facts, before, after) {
  const found = [], say = (what, a, b) => found.push(`${what} ${a} → ${b}`);
  for (const key of ["species", "weight", "until"]) if (before[key] !== after[key]) say(key, before[key], after[key]);
  for (const name of new Set([...Object.keys(before.params), ...Object.keys(after.params)])) {
    const usual = facts.params[facts.index[name]]?.value, a = before.params[name] ?? usual, b = after.params[name] ?? usual;
    if (a !== b) say(name, short(a), short(b));
  }
  const rows = (kind, label) => {
    const most = Math.max(before[kind].length, after[kind].length);
    for (let i = 0; i < most; i++) {
      const a = before[kind][i], b = after[kind][i];
      if (!a || !b) { found.push(`${label(a || b)} ${a ? "left out" : "added"}`); continue; }
      for (const key of Object.keys({ ...a, ...b })) if (JSON.stringify(a[key]) !== JSON.stringify(b[key])) say(`${label(b)} ${key}`, a[key] ?? "end", b[key] ?? "end");
    }
  };
  rows("doses", () => "dose:");
  rows("holds", (one) => one.knob);
  rows("baths", () => "bath:");
  return found.length ? `now ${found.slice(0, 3).join(", ")}${found.length > 3 ? ` and ${found.length - 3} more` : ""}` : "nothing changed yet";
}

const rounded = (value) => (typeof value === "number" ? +value.toPrecision(6) : value);

// What is done to whom, as text that is the same where that is the same.
function doneIn(one) {
  return JSON.stringify([one.species, one.weight, one.doses.map((d) => [d.drug, d.amount, d.unit, d.route, d.over, ...doseTimes(d)]),
    one.holds.map((h) => [h.knob, h.level, h.from, h.until ?? null]).sort(), one.baths.map((h) => [h.drug, h.level, h.from, h.until ?? null])], (_, v) => rounded(v));
}

const isSame = (a, b) => doneIn(a) === doneIn(b);

const doseOnset = (setting) => {
  const times = [...setting.doses.flatMap(doseTimes), ...setting.baths.map((one) => one.from)].filter(Number.isFinite);
  return times.length ? Math.min(...times) : undefined;
};

function marksOf(facts, setting) {
  const doses = setting.doses.flatMap((one) => doseTimes(one).map((t) => ({ kind: "dose", from: t, until: t + one.over })));
  const held = [...setting.holds, ...setting.baths].map((one) => ({ kind: one.drug ? "dose" : "hold", from: one.from === "always" ? -Infinity : one.from, until: one.until ?? Infinity }));
  return [...held, ...doses];
}

// Panels that a setting fills: no drug that was never there, no human scale in an animal, and what
// published values lie on.
function panelsNow(facts, setting, arms, course) {
  const PALETTE = ["blue", "vermilion", "green", "purple", "orange", "sky", "black"];
  const silent = (name) => course && !course.of[name].some((v) => Math.abs(v / facts.names[name].factor) > 1e-4);
  const found = facts.panels.map((panel) => ({ ...panel, curves: panel.curves.map((one, k) => ({ ...one, colour: one.colour || PALETTE[k % 7] })).filter((one) => !(panel.drug && silent(one.name))) }))
    .filter((panel) => panel.curves.length && !(panel.human && setting.species !== "human"));
  const shown = new Set(found.flatMap((panel) => panel.curves.map((one) => one.name)));
  for (const name of new Set(arms.flatMap((arm) => arm.points.map((p) => p.name)))) {
    if (shown.has(name)) continue;
    const one = facts.names[name];
    found.push({ title: one.meaning[0].toUpperCase() + one.meaning.slice(1), measure: one.unit === "1" ? "no unit" : one.unit, zero: false, tall: 1, curves: [{ name, label: "", colour: "blue" }] });
  }
  return found;
}

function interpolated(times, values, t) {
  let low = 0, high = times.length - 1;
  while (high - low > 1) { const m = (low + high) >> 1; if (times[m] <= t) low = m; else high = m; }
  const h = times[high] - times[low];
  return h > 0 ? values[low] + (values[high] - values[low]) * Math.min(1, Math.max(0, (t - times[low]) / h)) : values[high];
}
