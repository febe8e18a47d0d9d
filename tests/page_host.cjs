// Runs the page's own scripts under node: questions in on stdin as JSON, answers out.
const { readFileSync } = require("node:fs");

const asked = JSON.parse(readFileSync(0, "utf8"));
const names = ["makeEngine", "makeJob", "makeGradient", "matchedGain", "tomlOf", "isSame", "drawn", "quantile", "subject", "summarise", "runSubjects", "bandsOf", "shareOf", "fromAddress", "toAddress"];
const page = new Function(`${asked.script}\nreturn {${names.join()}}`)();
const facts = asked.facts;
facts.params.forEach((one, i) => { facts.index[one.name] = i; });
const wasm = new WebAssembly.Module(Buffer.from(asked.wasm, "base64"));
const engine = page.makeEngine(new WebAssembly.Instance(wasm), facts.engine, facts.observers);
const gradient = page.makeGradient(engine);
const plain = (arrays) => Array.from(arrays, (one) => Array.from(one, (v) => (Number.isFinite(v) ? v : null)));

const answers = {
  courses: ({ setting, names: some, times, rtol }) => {
    const found = engine.at(page.makeJob(facts, setting, rtol), some, Float64Array.from(times));
    return { status: found.status, steps: found.steps, values: plain(found.values) };
  },
  refused: ({ setting }) => {
    try { page.makeJob(facts, setting, 1e-6); return null; } catch (error) { return error.message; }
  },
  summary: ({ setting, name, start, from, until }) => {
    const found = engine.course(page.makeJob(facts, setting, 1e-7), [name]);
    return page.summarise({ times: found.times }, found.values[0], start, from, until);
  },
  gradient: ({ setting, readout }) => {
    const job = page.makeJob(facts, setting, 1e-7), found = gradient(job, readout);
    return { value: found.value, elasticity: Array.from(found.byParameter, (by, i) => by * job.p[i] / found.value), byKnob: Array.from(found.byKnob) };
  },
  toml: ({ setting }) => page.tomlOf(facts, setting),
  gain: ({ account }) => page.matchedGain(engine, facts, facts.hypotheses.find((one) => one.name === account), {}),
  draws: ({ one, shares }) => shares.map((share) => page.drawn({ ...one }, share)),
  subjects: ({ setting, scope, seed, cuts, name, times }) => {
    const ask = { setting, names: [name], times: Float64Array.from(times), scope, seed, rtol: 1e-6 };
    const parts = cuts.slice(1).map((to, i) => page.runSubjects(engine, facts, { ...ask, from: cuts[i], to }));
    const each = parts.map((one) => ({ values: one.values[0], count: one.count }));
    return { failed: parts.reduce((sum, one) => sum + one.failed, 0), bands: plain(page.bandsOf(each, times.length, [0.05, 0.5, 0.95])) };
  },
  subject: ({ setting, scope, seed, member }) => page.subject(facts, setting, scope, seed, member),
  shares: ({ seed, members, column }) => Array.from({ length: members }, (_, i) => page.shareOf(seed, i, column)),
  address: ({ state }) => page.fromAddress(page.toAddress(state)),
};

process.stdout.write(JSON.stringify(asked.questions.map((one) => answers[one.ask](one))));
