// Workers that run virtual subjects; each holds the same module and answers in the order asked.
const WORKER = `
let engine, facts;
onmessage = ({ data }) => {
  if (data.module) {
    facts = data.facts;
    engine = makeEngine(new WebAssembly.Instance(data.module), facts.engine, facts.observers);
    return;
  }
  const { id, task } = data;
  const found = task.parts ? bandsOf(task.parts, task.n, task.shares) : runSubjects(engine, facts, task);
  postMessage({ id, found }, task.parts ? found.map((a) => a.buffer) : found.values.map((a) => a.buffer));
};`;

function makeCrew(core, module, facts, size) {
  let workers = [], waiting = new Map(), next = 0;
  try {
    const url = URL.createObjectURL(new Blob([core, WORKER], { type: "text/javascript" }));
    workers = Array.from({ length: size }, () => new Worker(url));
  } catch {
    return null; // a browser that forbids workers on a page from disk: the page runs them itself
  }
  for (const one of workers) {
    one.postMessage({ module, facts });
    one.onmessage = ({ data }) => { waiting.get(data.id)(data.found); waiting.delete(data.id); };
  }
  const ask = (worker, task) => new Promise((resolve) => {
    waiting.set(++next, resolve);
    workers[worker % size].postMessage({ id: next, task });
  });
  return { size, ask };
}

// Quantiles of every name over subjects: the runs shared out, then the names.
async function bands(crew, engine, facts, ask, shares) {
  const size = crew ? crew.size : 1, cuts = Array.from({ length: size + 1 }, (_, i) => Math.round(ask.many * i / size));
  const tasks = cuts.slice(1).map((to, i) => ({ ...ask, from: cuts[i], to }));
  const parts = crew ? await Promise.all(tasks.map((task, i) => crew.ask(i, task))) : tasks.map((task) => runSubjects(engine, facts, task));
  const each = ask.names.map((_, q) => parts.map((one) => ({ values: one.values[q], count: one.count })));
  const n = ask.times.length;
  const found = crew ? await Promise.all(each.map((some, q) => crew.ask(q, { parts: some, n, shares }))) : each.map((some) => bandsOf(some, n, shares));
  return { found, failed: parts.reduce((sum, one) => sum + one.failed, 0) };
}
