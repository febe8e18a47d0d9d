// The form: who, what is given, what is held, and any parameter, each with the numbers it may have.
function element(tag, properties = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key in made && key !== "list" && key !== "style") made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...inside);
  return made;
}

function field(label, ...inside) {
  return element("label", { className: "field" }, element("span", {}, label), ...inside);
}

function choice(values, chosen, change) {
  const options = values.map((one) => {
    const [value, text] = Array.isArray(one) ? one : [one, one];
    return element("option", { value, textContent: text, selected: value === chosen });
  });
  return element("select", { onchange: (event) => change(event.target.value) }, ...options);
}

// A slider and a number for the same value; on a logarithm where both ends are above 0.
function slider(label, value, low, high, change) {
  const log = low > 0 && high / low > 20, to = (v) => (log ? Math.log(v / low) / Math.log(high / low) : (v - low) / (high - low));
  const from = (s) => +(log ? low * (high / low) ** s : low + s * (high - low)).toPrecision(4);
  const number = element("input", { type: "number", value: +(+value).toPrecision(6), step: "any", ariaLabel: `${label}, number` });
  const range = element("input", { type: "range", min: 0, max: 1, step: 0.001, value: to(value), ariaLabel: label });
  const told = () => range.setAttribute("aria-valuetext", number.value);
  range.addEventListener("input", () => { number.value = from(+range.value); told(); change(+number.value); });
  number.addEventListener("input", () => {
    if (number.value === "" || !Number.isFinite(+number.value)) return;
    range.value = to(+number.value);
    told();
    change(+number.value);
  });
  told();
  return element("span", { className: "pair" }, range, number);
}

const plainNumber = (value, change, properties = {}) => element("input", { type: "number", step: "any", value: +(+value).toPrecision(8), ...properties,
  oninput: (event) => { if (event.target.value !== "" && Number.isFinite(+event.target.value)) change(+event.target.value); } });

function card(title, remove, ...inside) {
  const close = element("button", { type: "button", textContent: "×", ariaLabel: `Remove ${title}`, onclick: remove });
  return element("div", { className: "card" }, element("div", { className: "top" }, element("span", {}, title), close), ...inside);
}

function buildControls(form, facts, setting, changed, rebuild) {
  const set = (target, key) => (value) => { target[key] = value; changed(); };
  const again = (act) => () => { act(); rebuild(); changed(); };
  form.replaceChildren(
    subjectFields(facts, setting, set, changed, rebuild),
    listOf("Given", setting.doses.map((one, i) => doseCard(facts, setting, one, set, again, again(() => setting.doses.splice(i, 1)))),
      "Add a dose", again(() => setting.doses.push({ ...facts.newDose }))),
    listOf("Around a slice", setting.baths.map((one, i) => bathCard(facts, setting, one, set, again(() => setting.baths.splice(i, 1)))),
      "Add a bath", again(() => setting.baths.push({ drug: "ketamine", level: 10, from: 0, until: 1 }))),
    listOf("Held", setting.holds.map((one, i) => holdCard(facts, setting, one, set, again, again(() => setting.holds.splice(i, 1)))),
      "Hold an input", again(() => setting.holds.push(newHold(facts, setting)))),
    parameterFields(facts, setting, set, again),
    element("fieldset", {}, element("legend", {}, "Look"),
      field("until [d]", slider("until, days", setting.until / 24, 0.25, 60, (v) => { setting.until = 24 * v; changed(); }))),
  );
}

function listOf(title, cards, text, add) {
  return element("fieldset", {}, element("legend", {}, title), ...cards, element("button", { type: "button", textContent: text, onclick: add }));
}

function subjectFields(facts, setting, set, changed, rebuild) {
  const species = facts.species.find((one) => one.name === setting.species);
  const turn = (value) => {
    const next = facts.species.find((one) => one.name === value);
    Object.assign(setting, { species: value, weight: next.weight });
    rebuild();
    changed();
  };
  const stress = (value) => {
    setting.holds = setting.holds.filter((one) => one.knob !== "stress.stressor");
    if (value === "lasting") setting.holds.push({ knob: "stress.stressor", level: 1, from: "always", until: null });
    if (value === "weeks") setting.holds.push({ knob: "stress.stressor", level: 1, from: -504, until: 0 });
    rebuild();
    changed();
  };
  const held = setting.holds.find((one) => one.knob === "stress.stressor");
  const now = !held ? "none" : held.from === "always" ? "lasting" : "weeks";
  return element("fieldset", {}, element("legend", {}, "Who"),
    field("species", choice(facts.species.map((one) => one.name), setting.species, turn)),
    field("weight [kg]", slider("weight, kg", setting.weight, species.low, species.high, set(setting, "weight"))),
    field("stress", choice([["none", "none"], ["lasting", "lasting (an episode)"], ["weeks", "three weeks, over at 0 h"]], now, stress)));
}

function doseCard(facts, setting, dose, set, again, remove) {
  const drug = facts.drugs.find((one) => one.name === dose.drug), routes = Object.keys(drug.routes);
  const high = dose.unit === "mg" ? 500 : 100, low = dose.unit === "mg" ? 0.5 : 0.005;
  const pick = (key) => (value) => again(() => {
    dose[key] = value;
    const known = Object.keys(facts.drugs.find((one) => one.name === dose.drug).routes);
    if (!known.includes(dose.route)) dose.route = known[0];
  })();
  const rows = [
    field("drug", choice(facts.drugs.map((one) => [one.name, one.meaning]), dose.drug, pick("drug"))),
    field(`dose [${dose.unit}]`, slider(`dose, ${dose.unit}`, dose.amount, low, high, set(dose, "amount"))),
    field("per", choice([["mg/kg", "kg of weight"], ["mg", "subject"]], dose.unit, pick("unit"))),
    field("route", choice(routes, dose.route, pick("route"))),
    field("over [min]", slider("duration, minutes", dose.over * 60, 0, 240, (v) => set(dose, "over")(v / 60))),
  ];
  if (dose.at) {
    rows.push(field("given at", element("span", {}, `${dose.at.length} times as in the file`)));
  } else {
    rows.push(
      field("first at [h]", plainNumber(dose.start, set(dose, "start"))),
      field("how often", slider("number of doses", dose.times, 1, 20, (v) => set(dose, "times")(Math.round(v)))),
      field("every [d]", element("input", { type: "text", value: dose.every.map((t) => +(t / 24).toPrecision(6)).join(", "), ariaLabel: "spacing in days; several take turns",
        oninput: (event) => { const gaps = event.target.value.split(/[, ]+/).filter(Boolean).map(Number); if (gaps.length && gaps.every((g) => g > 0)) set(dose, "every")(gaps.map((g) => 24 * g)); } })));
  }
  return card(drug.meaning, remove, ...rows);
}

function windowFields(one, set, always) {
  const rows = [
    field("from [h]", element("input", { type: "text", value: one.from, ariaLabel: "from, hours, or always",
      oninput: (event) => { const v = event.target.value.trim(); if (always && v === "always") set(one, "from")(v); else if (v !== "" && Number.isFinite(+v)) set(one, "from")(+v); } })),
    field("until [h]", element("input", { type: "text", value: one.until ?? "end", ariaLabel: "until, hours, or end",
      oninput: (event) => { const v = event.target.value.trim(); if (v === "end") set(one, "until")(null); else if (v !== "" && Number.isFinite(+v)) set(one, "until")(+v); } })),
  ];
  return rows;
}

function bathCard(facts, setting, bath, set, remove) {
  const drugs = facts.drugs.filter((one) => one.bath.length).map((one) => [one.name, one.meaning]);
  return card("Bath", remove, field("drug", choice(drugs, bath.drug, set(bath, "drug"))),
    field("level [µM]", slider("concentration, micromolar", bath.level, 0.01, 1000, set(bath, "level"))), ...windowFields(bath, set, true));
}

function newHold(facts, setting) {
  const taken = new Set(setting.holds.map((one) => one.knob));
  const knob = facts.knobs.find((one) => one.name === "ampa.antagonist" && !taken.has(one.name)) || facts.knobs.find((one) => !taken.has(one.name));
  return { knob: knob.name, level: Math.min(knob.high, Math.max(knob.neutral, 0.9 * Math.min(knob.high, 1))), from: -0.5, until: 4 };
}

function holdCard(facts, setting, hold, set, again, remove) {
  const knob = facts.knobs.find((one) => one.name === hold.knob), groups = new Map();
  for (const one of facts.knobs) {
    const group = one.name.split(".")[0];
    groups.set(group, [...(groups.get(group) || []), one]);
  }
  const menu = element("select", { ariaLabel: "input", onchange: (event) => again(() => {
    const next = facts.knobs.find((one) => one.name === event.target.value);
    hold.knob = next.name;
    hold.level = Math.min(next.high, Math.max(next.low, hold.level));
  })() });
  for (const [group, some] of groups) {
    menu.append(element("optgroup", { label: group }, ...some.map((one) => element("option", { value: one.name, textContent: one.meaning, selected: one.name === hold.knob }))));
  }
  const words = knob.unit === "1" ? "level" : `level [${knob.unit}]`;
  return card(knob.meaning, remove, field("input", menu),
    field(words, slider(`level of ${knob.meaning}`, hold.level, knob.low, Math.max(knob.high, hold.level), set(hold, "level"))), ...windowFields(hold, set, true));
}

function parameterFields(facts, setting, set, again) {
  const cards = Object.keys(setting.params).filter((name) => name in facts.index).map((name) => {
    const one = facts.params[facts.index[name]];
    const low = Math.min(one.low, setting.params[name]), high = Math.max(one.high, setting.params[name]);
    return card(`${name}${one.unit === "1" ? "" : ` [${one.unit}]`}: ${one.meaning}`, again(() => delete setting.params[name]),
      slider(name, setting.params[name], low, high > low ? high : low + 1, set(setting.params, name)),
      element("div", { className: "note" }, `${one.value} in the model, ${one.low} to ${one.high}; ${one.kind}`));
  });
  const add = element("input", { type: "text", className: "long", placeholder: "name or meaning", ariaLabel: "Change a parameter", list: "parameter-names",
    onchange: (event) => { const name = event.target.value.split(":")[0].trim(); if (name in facts.index) again(() => { setting.params[name] = facts.params[facts.index[name]].value; })(); } });
  const names = element("datalist", { id: "parameter-names" }, ...facts.params.filter((one) => one.role !== "weight").map((one) => element("option", { value: `${one.name}: ${one.meaning}` })));
  return element("fieldset", {}, element("legend", {}, "Parameters changed"), ...cards, add, names);
}
