// What can be taken away: the setting as TOML that `ketasim run` reads, curves as CSV, the picture
// as SVG or PNG, and the setting in the address.
const quoted = (text) => JSON.stringify(String(text));
// A number with its unit, where it has one.
const measured = (value, unit) => (unit === "1" ? String(value) : quoted(`${value} ${unit}`));
const hours = (t) => quoted(`${t} h`);

function tomlOf(facts, setting) {
  const unitOf = (name) => facts.params[facts.index[name]].unit;
  const knobUnit = (name) => facts.knobs.find((one) => one.name === name).unit;
  const lines = ["schema = 1", `name = ${quoted(setting.name || "explored")}`, "allow_unusual_dose = true", ""];
  lines.push("[model]", `name = ${quoted(facts.model)}`, "");
  const changed = Object.entries(setting.params).filter(([name]) => name in facts.index);
  if (changed.length) {
    lines.push("[model.parameters]");
    for (const [name, value] of changed) lines.push(`${quoted(name)} = ${measured(value, unitOf(name))}`);
    lines.push("");
  }
  lines.push("[subject]", `species = ${quoted(setting.species)}`, `weight = ${quoted(`${setting.weight} kg`)}`, "");
  for (const dose of setting.doses) {
    lines.push("[[dosing]]", `drug = ${quoted(dose.drug)}`, `amount = ${quoted(`${dose.amount} ${dose.unit}`)}`);
    lines.push(`route = ${quoted(dose.route)}`, `duration = ${hours(dose.over)}`);
    if (dose.share !== null && dose.share !== undefined) lines.push(`s_fraction = ${dose.share}`);
    lines.push(`at = [${doseTimes(dose).map(hours).join(", ")}]`, "");
  }
  const windowed = (one) => {
    lines.push(`from = ${one.from === "always" ? '"always"' : hours(one.from)}`);
    if (one.until !== null && one.until !== undefined) lines.push(`until = ${hours(one.until)}`);
    lines.push("");
  };
  for (const one of setting.holds) {
    lines.push("[[intervention]]", `target = ${quoted(one.knob)}`, `level = ${measured(one.level, knobUnit(one.knob))}`);
    windowed(one);
  }
  for (const one of setting.baths) {
    lines.push("[[bath]]", `drug = ${quoted(one.drug)}`, `concentration = ${quoted(`${one.level} uM`)}`);
    windowed(one);
  }
  lines.push("[output]", `from = ${hours(setting.from)}`, `until = ${hours(setting.until)}`, "");
  return lines.join("\n");
}

function csvOf(facts, names, runs) {
  const rows = [["curve", "time [h]", ...names.map((name) => `${name} [${facts.names[name].unit}]`)]];
  for (const [label, course] of runs) {
    for (let i = 0; i < course.times.length; i++) {
      if (i && course.times[i] === course.times[i - 1] && i % 5 === 0) continue;
      rows.push([label, course.times[i], ...names.map((name) => course.of[name][i] / facts.names[name].factor)]);
    }
  }
  return rows.map((row) => row.map((cell) => (/[",\n]/.test(cell) ? quoted(cell) : cell)).join(",")).join("\n") + "\n";
}

// All panels on one sheet, three in a row, with the page's own colours written out.
function sheetOf(panels, style, title) {
  const columns = Math.min(3, panels.length), wide = WIDE + 20, parts = [];
  let y = 34, tallest = 0;
  panels.forEach(({ name, inside, total, keys }, i) => {
    if (i && i % columns === 0) { y += tallest + 40; tallest = 0; }
    tallest = Math.max(tallest, total);
    const x = (i % columns) * wide;
    let at = LEFT;
    const key = keys.map(([label, colour]) => {
      const text = `<text x="${at}" y="26" style="fill:${colour}">${escaped(label)}</text>`;
      at += 7 * label.length + 12;
      return text;
    }).join("");
    parts.push(`<g transform="translate(${x} ${y})"><text class="title" x="${LEFT}" y="12">${escaped(name)}</text>${key}` +
      `<g transform="translate(0 30)">${inside}</g></g>`);
  });
  const high = y + tallest + 44;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${columns * wide}" height="${high}" viewBox="0 0 ${columns * wide} ${high}">` +
    `<style>${style}</style><rect width="100%" height="100%" class="paper"/><text class="title" x="${LEFT}" y="20">${escaped(title)}</text>${parts.join("")}</svg>`;
}

function toPng(svg, scale) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => {
      const canvas = document.createElement("canvas");
      canvas.width = image.width * scale;
      canvas.height = image.height * scale;
      const pen = canvas.getContext("2d");
      pen.scale(scale, scale);
      pen.drawImage(image, 0, 0);
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png");
    };
    image.onerror = () => reject(new Error("the picture could not be drawn"));
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg);
  });
}

function saveAs(name, content, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// A setting as text for the address, and back; only what differs from the page's own.
const toAddress = (state) => "#" + btoa(encodeURIComponent(JSON.stringify(state)).replace(/%([0-9A-F]{2})/g, (_, h) => String.fromCharCode(parseInt(h, 16)))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

function fromAddress(hash) {
  if (hash.length < 3) return null;
  try {
    const raw = atob(hash.slice(1).replace(/-/g, "+").replace(/_/g, "/"));
    return JSON.parse(decodeURIComponent(Array.from(raw, (c) => "%" + c.charCodeAt(0).toString(16).padStart(2, "0")).join("")));
  } catch {
    return null;
  }
}
