// The page: one state, drawn again whenever something in it changes.
const $ = (id) => document.getElementById(id);
const COLOURS = ["blue", "vermilion", "green", "purple", "orange", "sky", "black"];
const RTOL = 1e-8, MOVING = 1e-6, BAND_RTOL = 1e-4, NEGLIGIBLE = 1e-4, DASHES = ["", "6 3", "2 2", "8 2 2 2", "1 3", "10 4"];
const colour = (name) => `var(--${name})`;

const keyOf = (text, look, dash) => `<span class="key"><svg viewBox="0 0 20 8"><path class="curve" style="stroke:${look}" stroke-dasharray="${dash}" d="M0 4H20"/></svg>${escaped(text)}</span>`;

async function unpacked(id) {
  const raw = Uint8Array.from(atob($(id).textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function begin() {
  const opened = performance.now();
  const [text, wasm] = await Promise.all([unpacked("facts"), unpacked("wasm")]);
  const facts = JSON.parse(new TextDecoder().decode(text));
  facts.params.forEach((one, i) => { facts.index[one.name] = i; });
  facts.newDose = facts.start.doses[0] || facts.plainDose;
  const module = await WebAssembly.compile(wasm);
  const engine = makeEngine(await WebAssembly.instantiate(module), facts.engine, facts.observers);
  const page = makePage(facts, engine, module);
  window.ketasim = page;
  page.update();
  page.last.load = performance.now() - opened;
  page.last.ready = performance.now();
}

function makePage(facts, engine, module) {
  const kept = fromAddress(location.hash) || {};
  const state = { setting: kept.setting || structuredClone(facts.start), frozen: [], accounts: new Set(kept.accounts || []), gains: new Map(), band: null };
  const last = {}, gradient = makeGradient(engine);
  let crew, resting, waiting = false, drawn = [], dataArms = [], bandAsked = 0;

  const names = () => [...new Set(panelsNow(facts, state.setting, dataArms).flatMap((panel) => panel.curves.map((one) => one.name)))];

  function courseOf(setting, rtol = RTOL) {
    const job = makeJob(facts, setting, rtol), every = Object.keys(facts.names);
    const found = engine.course(job, every, rtol > RTOL && drawn.length ? gapsOf(drawn[0].axes.parts) : null);
    if (found.status !== OK) throw new Error(SENTENCES[found.status] || "the run could not be finished.");
    const start = startOf(found, job, every);
    return { times: found.times, of: Object.fromEntries(every.map((name, q) => [name, found.values[q]])), start, steps: found.steps };
  }

  // What is there just before 0 h, or before anything is given.
  function startOf(found, job, every) {
    if (job.edges[0] < 0) return Object.fromEntries(every.map((name, q) => [name, valueAt(found, found.values[q], -1e-9)]));
    const bare = { ...job, boluses: job.boluses.map((one) => one.map(() => 0)), rates: job.rates.map((one) => one.map(() => 0)) };
    const knobs = job.settled ? bare.knobs.map(() => job.before) : bare.knobs;
    const seen = engine.at({ ...bare, knobs, edges: [job.edges[0], job.edges[0] + 1e-6], boluses: bare.boluses.slice(0, 2) }, every, [job.edges[0]]);
    return Object.fromEntries(every.map((name, q) => [name, seen.values[q][0]]));
  }

  // While something moves it is computed less exactly; what rests is computed again.
  function update(rtol = RTOL) {
    waiting = false;
    const a = performance.now();
    let course;
    try {
      course = courseOf(state.setting, rtol);
    } catch (error) {
      $("status").textContent = error.message;
      $("status").className = "bad";
      last.error = error.message;
      return;
    }
    delete last.error;
    const rivals = [...state.accounts].map((name) => rival(name, rtol)).filter(Boolean);
    const b = performance.now();
    draw(course, rivals);
    const c = performance.now();
    Object.assign(last, { run: b - a, draw: c - b, total: c - a, steps: course.steps, course });
    $("status").className = "";
    $("status").textContent = `${doseWords(facts, state.setting)} Computed in ${short(b - a)} ms, ${course.steps} steps.`;
    clearTimeout(resting);
    resting = setTimeout(() => (rtol > RTOL ? update() : rested(course)), rtol > RTOL ? 60 : 0);
  }

  // What can wait until a slider rests.
  function rested(course) {
    if ($("readouts").open) readoutTable(course);
    if ($("ranking").open) rank();
    describe(course);
    askBand();
    last.rested = course;
    if (parent !== window) parent.postMessage({ ketasim: state.setting }, "*");
    else history.replaceState(null, "", toAddress({ setting: state.setting, accounts: [...state.accounts] }));
  }

  function changed() {
    if (!waiting) { waiting = true; requestAnimationFrame(() => update(MOVING)); }
  }

  function rival(name, rtol = RTOL) {
    const account = facts.hypotheses.find((one) => one.name === name);
    const key = name + JSON.stringify(state.setting.params);
    if (!state.gains.has(key)) state.gains.set(key, matchedGain(engine, facts, account, state.setting.params));
    const gain = state.gains.get(key);
    if (Number.isNaN(gain)) return { name, account, gain, course: null };
    try {
      return { name, account, gain, course: courseOf(underAccount(state.setting, account, gain), rtol) };
    } catch {
      return { name, account, gain, course: null };
    }
  }

  function draw(course, rivals) {
    const now = doneIn(state.setting);
    dataArms = facts.data.filter((arm) => (arm.done ??= doneIn(arm.setting)) === now);
    const panels = panelsNow(facts, state.setting, dataArms, course), setting = state.setting;
    const begin = course.times[0], end = setting.until, marks = marksOf(facts, setting);
    const onset = marks.length ? Math.min(...marks.map((one) => one.from).filter((t) => t > -Infinity)) : undefined;
    const first = Number.isFinite(onset) ? onset : undefined;
    const shown = { windows: timeWindows(Math.min(begin, setting.from) < -48 ? Math.max(begin, -24) : begin, end, first === undefined ? undefined : Math.max(first, doseOnset(setting) ?? first)), marks };
    const many = rivals.some((one) => one.course);
    const home = $("panels"), had = home.children.length;
    drawn = panels.map((panel, i) => {
      const layers = layersOf(panel, course, rivals, many);
      const made = panelOf(panel, layers, shown, facts, drawn[i]);
      let figure = home.children[i];
      if (!figure) {
        figure = element("figure", {});
        figure.innerHTML = `<figcaption></figcaption><svg role="img" tabindex="0"><g></g><g></g><path class="cursor"/></svg>`;
        home.append(figure);
        follow(figure);
      }
      const [caption, svg] = figure.children, [frame, curves] = svg.children;
      put(figure, "keys", captionOf(panel, many), (text) => { caption.innerHTML = text; });
      put(figure, "box", `0 0 ${WIDE} ${made.axes.total}`, (text) => svg.setAttribute("viewBox", text));
      put(figure, "frame", made.frame, (text) => { frame.innerHTML = text; });
      // Curves that are there are bent, not made anew.
      put(figure, "looks", made.curves.map((one) => one.look).join(""), (text) => { curves.innerHTML = text; there.get(figure).ways = []; });
      const ways = there.get(figure).ways;
      made.curves.forEach((one, k) => { if (ways[k] !== one.d) { ways[k] = one.d; curves.children[k].setAttribute("d", one.d); } });
      return { panel, layers, shown, ...made };
    });
    for (let i = had; i > panels.length; i--) home.lastElementChild.remove();
    legend(rivals, many);
    dataNote();
  }

  const captionOf = (panel, many) => `<strong>${escaped(panel.title)}</strong>` + panel.curves.filter((one) => one.label)
    .map((one, k) => keyOf(one.label, many ? "var(--ink)" : colour(one.colour), many ? DASHES[k % DASHES.length] : one.dashed ? DASHES[1] : "")).join("");

  // Put a text where it belongs, if it is not there already.
  const there = new WeakMap();
  function put(figure, what, text, act) {
    const known = there.get(figure) || {};
    if (known[what] === text) return;
    known[what] = text;
    there.set(figure, known);
    act(text);
  }

  // What a reader who does not see a panel is told of it.
  function describe(course) {
    drawn.forEach(({ panel }, i) => {
      const told = panel.curves.map((one) => `${one.label || panel.title}: ${short(course.start[one.name] / facts.names[one.name].factor)} at first, ${short(course.of[one.name][course.times.length - 1] / facts.names[one.name].factor)} at the end`).join("; ");
      $("panels").children[i].querySelector("svg[tabindex]").setAttribute("aria-label", `${panel.title} (${panel.measure}). ${told}. Left and right arrows move through time.`);
    });
  }

  function layersOf(panel, course, rivals, many) {
    const layers = [];
    panel.curves.forEach((one, k) => {
      const own = many ? colour(COLOURS[0]) : colour(one.colour), dash = many ? DASHES[k % DASHES.length] : one.dashed ? DASHES[1] : "";
      const band = state.band && state.band.of[one.name];
      for (const old of state.frozen) if (old.of[one.name]) layers.push({ name: one.name, times: old.times, values: old.of[one.name], colour: own, dash, faint: true });
      rivals.forEach((other, r) => {
        if (other.course) layers.push({ name: one.name, times: other.course.times, values: other.course.of[one.name], colour: colour(COLOURS[(r + 1) % COLOURS.length]), dash, wide: true });
      });
      layers.push({ name: one.name, times: course.times, values: course.of[one.name], colour: own, dash, points: pointsOf(one.name, course) });
      if (band) layers.push({ name: one.name, times: state.band.times, low: band[0], high: band[1], colour: own });
    });
    return layers;
  }

  function pointsOf(name, course) {
    const factor = facts.names[name].factor, start = course.start[name] / factor;
    return dataArms.flatMap((arm) => arm.points.filter((p) => p.name === name).map((p) => {
      let value = p.value, error = p.error || 0;
      if (p.as === "change") value += start;
      if (p.as === "share") { value = start * (1 + value); error *= start; }
      if (p.as === "effect") value += control(arm, name, p.time) / factor;
      return { time: p.time, value, error };
    }));
  }

  const controls = new Map();
  function control(arm, name, time) {
    const bare = { ...state.setting, doses: [], baths: [] }, key = JSON.stringify(bare);
    if (!controls.has(key)) { controls.clear(); controls.set(key, courseOf(bare)); }
    const course = controls.get(key);
    return valueAt(course, course.of[name], time);
  }

  function legend(rivals, many) {
    const entries = [];
    if (many) {
      entries.push(["as set", COLOURS[0]]);
      rivals.forEach((one, r) => entries.push([one.course ? `${one.name}${one.gain === null ? "" : `, gain ${short(one.gain)}`}` : `${one.name}: no gain reaches the effect`, COLOURS[(r + 1) % COLOURS.length]]));
    }
    const html = entries.map(([text, c]) => keyOf(text, colour(c), ""));
    state.frozen.forEach((one) => html.push(keyOf(`frozen: ${one.label} ${differences(facts, one.setting, state.setting)}`, colour("grey"), "")));
    put($("legend"), "html", html.join(""), (text) => { $("legend").innerHTML = text; });
  }

  function dataNote() {
    const count = dataArms.reduce((sum, arm) => sum + arm.points.length, 0);
    const told = count ? `${count} published values of ${dataArms.map((one) => `${one.file}: ${one.arm}`).join(", ")} are drawn, with their standard errors.` : "Points of an arm are drawn wherever what is asked is what was done in it.";
    put($("data-note"), "text", told, (text) => { $("data-note").textContent = text; });
  }

  function readoutTable(course) {
    const { from, until } = { from: Math.max(course.times[0], Math.min(0, state.setting.from)), until: state.setting.until };
    const rows = facts.headlines.map((name) => {
      const found = summarise(course, course.of[name], course.start[name], from, until), f = facts.names[name].factor, unit = facts.names[name].unit;
      return `<tr><td title="${escaped(name)}">${escaped(facts.names[name].meaning)}${unit === "1" ? "" : ` [${escaped(pretty(unit))}]`}</td><td>${short(found.start / f)}</td><td>${short(found.peak / f)}</td><td>${short(found.when)}</td><td>${short(found.day / f)}</td><td>${short(found.last / f)}</td><td>${short(found.area / f)}</td></tr>`;
    });
    $("readouts").querySelector(".wide").innerHTML = `<table><thead><tr><th>what</th><th>before</th><th>peak</th><th>at [h]</th><th>at 24 h</th><th>end</th><th>area of change [· h]</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
  }

  function rank() {
    const a = performance.now();
    const readout = { name: $("rank-name").value, kind: $("rank-kind").value, at: Math.min(+$("rank-at").value, state.setting.until), from: 0, until: state.setting.until };
    const job = makeJob(facts, state.setting, RTOL), found = gradient(job, readout);
    if (!found) { $("rank-table").textContent = "not computed: the run could not be finished."; return; }
    const rows = facts.params.map((one, i) => ({ name: one.name, meaning: one.meaning, kind: one.kind, by: found.byParameter[i] * job.p[i] / found.value })).filter((one) => one.by !== 0 && facts.index[one.name] !== facts.weight);
    rows.sort((x, y) => Math.abs(y.by) - Math.abs(x.by));
    const b = performance.now(), most = Math.abs(rows[0]?.by) || 1, many = +$("rank-many").value;
    $("rank-table").innerHTML = `<table><thead><tr><th>parameter</th><th>% per %</th><th></th><th>value</th></tr></thead><tbody>${rows.slice(0, many).map((one) => `<tr><td title="${escaped(one.meaning)}">${escaped(one.name)}</td><td>${(one.by < 0 ? "−" : "+") + Math.abs(one.by).toPrecision(3)}</td><td style="text-align:left"><span class="bar ${one.by < 0 ? "minus" : ""}" style="width:${(120 * Math.abs(one.by) / most).toFixed(1)}px"></span></td><td>${one.kind}</td></tr>`).join("")}</tbody></table>`;
    const f = facts.names[readout.name];
    $("rank-note").textContent = `${f.meaning}: ${short(found.value / f.factor)}${f.unit === "1" ? "" : ` ${pretty(f.unit)}`}${readout.kind === "auc" ? " h" : ""}. ${rows.length} of ${facts.params.length} parameters move it; how many per cent for one per cent of each, from the gradient taken back through the run (body weight left out). ${short(b - a)} ms.`;
    Object.assign(last, { rank: b - a, rankTotal: performance.now() - a, ranked: rows });
  }

  async function askBand() {
    const many = +$("band-many").value, ask = ++bandAsked;
    if (!many) { state.band = null; return; }
    const key = JSON.stringify([state.setting, many, $("band-scope").value, $("band-seed").value]);
    if (state.band && state.band.key === key) return;
    state.band = null;
    if (crew === undefined) crew = makeCrew($("core").textContent, module, facts, Math.max(1, Math.min(navigator.hardwareConcurrency || 2, 8)));
    const a = performance.now(), wanted = names(), windows = drawn[0].shown.windows;
    const times = Float64Array.from([...new Set(windows.flatMap((win) => Array.from({ length: 44 }, (_, i) => win.from + (win.until - win.from) * i / 43)))].sort((x, y) => x - y));
    const { found, failed } = await bands(crew, engine, facts, { setting: state.setting, names: wanted, times, many, scope: $("band-scope").value, seed: Math.abs(+$("band-seed").value | 0), rtol: BAND_RTOL }, [0.05, 0.95]);
    if (ask !== bandAsked) return;
    state.band = { key, times, of: Object.fromEntries(wanted.map((name, q) => [name, found[q]])) };
    last.band = performance.now() - a;
    $("band-note").textContent = `The middle 90 % of ${many} virtual subjects${failed ? `, ${failed} of which could not be computed and are left out` : ""}. ${short(last.band)} ms on ${crew ? crew.size : 1} ${crew ? "workers" : "thread"}.`;
    draw(last.course, [...state.accounts].map((name) => rival(name)).filter(Boolean));
  }

  // Numbers under the cursor, by pointer or by arrows.
  function follow(figure) {
    let at = null;
    const show = (t, x, y) => {
      const one = drawn[[...$("panels").children].indexOf(figure)], svg = figure.querySelector("svg[tabindex]");
      const part = one.axes.parts.find((win) => t >= win.from - 1e-9 && t <= win.until + 1e-9) || one.axes.parts[0];
      svg.querySelector(".cursor").setAttribute("d", `M${one.axes.X(part, t).toFixed(1)} ${HEAD}v${one.axes.height}`);
      const rows = one.layers.filter((layer) => layer.values && !layer.low).map((layer) => {
        const curve = one.panel.curves.find((c) => c.name === layer.name), f = facts.names[layer.name];
        const v = interpolated(layer.times, layer.values, t) / f.factor;
        return `${curve.label || one.panel.title}${layer.faint ? " (frozen)" : ""}: ${short(v)}${f.unit === "1" ? "" : ` ${pretty(f.unit)}`}`;
      });
      const text = `${Math.abs(t) >= 48 ? `${short(t / 24)} d` : `${short(t)} h`}\n${rows.join("\n")}`, tip = $("tip");
      tip.textContent = text;
      tip.hidden = false;
      tip.style.left = `${Math.min(x + 14, innerWidth - tip.offsetWidth - 6)}px`;
      tip.style.top = `${Math.min(y + 14, innerHeight - tip.offsetHeight - 6)}px`;
      at = t;
      return text;
    };
    const timeAt = (event) => {
      const one = drawn[[...$("panels").children].indexOf(figure)], svg = figure.querySelector("svg[tabindex]"), box = svg.getBoundingClientRect();
      const x = (event.clientX - box.left) * WIDE / box.width;
      const part = one.axes.parts.find((win) => x <= win.x + win.wide + TEAR / 2) || one.axes.parts[one.axes.parts.length - 1];
      return Math.min(part.until, Math.max(part.from, part.from + (x - part.x) / part.wide * (part.until - part.from)));
    };
    figure.addEventListener("pointermove", (event) => { if (event.target.closest("svg[tabindex]")) show(timeAt(event), event.clientX, event.clientY); });
    figure.addEventListener("pointerleave", () => { $("tip").hidden = true; figure.querySelector(".cursor").setAttribute("d", ""); });
    figure.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
      event.preventDefault();
      const { windows } = drawn[0].shown, begin = Math.min(...windows.map((w) => w.from)), end = windows[windows.length - 1].until;
      const now = at ?? begin, step = now < windows[0].until ? (windows[0].until - windows[0].from) / 40 : (end - begin) / 60;
      const t = Math.min(end, Math.max(begin, now + (event.key === "ArrowRight" ? step : -step)));
      const box = figure.getBoundingClientRect();
      $("status").textContent = show(t, box.left + 20, box.bottom - 20).replace(/\n/g, "; ");
    });
    figure.addEventListener("focusout", () => { $("tip").hidden = true; });
  }

  const rebuild = () => buildControls($("controls"), facts, state.setting, changed, rebuild);
  const turnTo = (setting) => { state.setting = structuredClone(setting); rebuild(); changed(); };
  const sheet = () => {
    const css = getComputedStyle(document.documentElement), written = (text) => text.replace(/var\(--(\w+)\)/g, (_, name) => css.getPropertyValue(`--${name}`).trim());
    const style = [...$("style").sheet.cssRules].filter((rule) => /^(svg |\.(paper|axis|grid|curve|faint|band|dose|hold|cursor|point|error))/.test(rule.selectorText || "")).map((rule) => rule.cssText.replace(/^svg /, "")).join("");
    return written(sheetOf(drawn.map((one) => ({ name: one.panel.title, inside: one.frame + one.curves.map(({ look, d }) => look.replace(' d=""', ` d="${d}"`)).join(""), total: one.axes.total, keys: one.panel.curves.filter((c) => c.label).map((c) => [c.label, colour(c.colour)]) })), style, `${doseWords(facts, state.setting)} ketasim ${facts.version}, model ${facts.digest}`));
  };
  const file = {
    toml: () => tomlOf(facts, state.accounts.size === 1 ? underOnly() : state.setting),
    csv: () => csvOf(facts, names(), [["as set", last.course], ...state.frozen.map((one) => [`frozen: ${one.label}`, one]), ...[...state.accounts].map((name) => rival(name)).filter((one) => one.course).map((one) => [one.name, one.course])]),
    svg: sheet,
  };
  const underOnly = () => { const one = rival([...state.accounts][0]); return one.course ? underAccount(state.setting, one.account, one.gain) : state.setting; };

  wire({ facts, state, turnTo, changed, rank, file, courseOf, last });
  rebuild();
  return { facts, engine, state, last, update, turnTo, rank, file, gradient, matchedGain: (account) => matchedGain(engine, facts, account, {}) };
}

// Everything outside the form that can be pressed.
function wire({ facts, state, turnTo, changed, rank, file, courseOf, last }) {
  $("preset").append(element("option", { value: "", textContent: "this page's own" }), ...Object.entries(facts.presets).map(([name, one]) => element("option", { value: name, textContent: one.title || name })));
  $("preset").onchange = (event) => turnTo(event.target.value ? facts.presets[event.target.value] : facts.start);
  $("freeze").onclick = () => {
    state.frozen = [...state.frozen.slice(-2), { ...courseOf(state.setting), setting: structuredClone(state.setting), label: doseWords(facts, state.setting) }];
    $("thaw").disabled = false;
    changed();
  };
  $("thaw").onclick = () => { state.frozen = []; $("thaw").disabled = true; changed(); };
  $("link").onclick = async () => {
    try { await navigator.clipboard.writeText(location.href); $("status").textContent = "The link is copied: it holds the whole setting."; } catch { prompt("The link holds the whole setting:", location.href); }
  };
  const root = document.documentElement;
  root.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  $("theme").onclick = () => { root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark"; };
  for (const button of document.querySelectorAll("[data-file]")) {
    button.onclick = async () => {
      const kind = button.dataset.file, name = `ketasim-${state.setting.name || "explored"}.${kind}`;
      if (kind === "png") saveAs(name, await toPng(file.svg(), 2));
      else saveAs(name, file[kind](), { toml: "application/toml", csv: "text/csv", svg: "image/svg+xml" }[kind]);
    };
  }
  $("rank-name").append(...Object.entries(facts.names).map(([name, one]) => element("option", { value: name, textContent: one.meaning, selected: name === "outcome.mood" })));
  for (const id of ["rank-name", "rank-kind", "rank-at", "rank-many"]) $(id).addEventListener("input", rank);
  for (const id of ["ranking", "readouts"]) $(id).addEventListener("toggle", () => { if ($(id).open) changed(); });
  for (const id of ["band-many", "band-scope", "band-seed"]) $(id).addEventListener("input", changed);
  $("account-list").append(...facts.hypotheses.map((one) => element("label", { style: "display:block" },
    element("input", { type: "checkbox", checked: state.accounts.has(one.name), onchange: (event) => { state.accounts[event.target.checked ? "add" : "delete"](one.name); changed(); } }), ` ${one.name}: ${one.story}`)));
  $("arm").append(element("option", { value: "", textContent: "choose: the page is set to what was done" }), ...facts.data.map((one, i) => element("option", { value: i, textContent: `${one.file}: ${one.arm} (${one.points.length} values)` })));
  $("arm").onchange = (event) => { if (event.target.value !== "") turnTo({ ...facts.data[+event.target.value].setting, name: facts.data[+event.target.value].arm }); };
}

begin().catch((error) => {
  $("status").className = "bad";
  $("status").textContent = `This browser cannot run the page (${error.message}); one from 2023 or later can.`;
});
