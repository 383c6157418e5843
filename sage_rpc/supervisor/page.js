"use strict";
const byId = id => document.getElementById(id);
const duration = s => s === 0 ? "–" : s < 1e-3 ? (s * 1e6).toFixed(0) + " µs" : s < 1 ? (s * 1e3).toFixed(1) + " ms" : s.toFixed(2) + " s";
const age = s => s >= 86400 ? (s / 86400).toFixed(0) + " d" : s >= 3600 ? (s / 3600).toFixed(0) + " h" : s >= 60 ? (s / 60).toFixed(0) + " min" : s.toFixed(0) + " s";
const rate = n => n >= 100 ? n.toFixed(0) : n.toFixed(1);
const clock = t => new Date(t * 1000).toLocaleTimeString();
// Everything goes in as text: what services say is never markup.
function cell(content, kind) { const td = document.createElement("td"); if (kind) td.className = kind; if (content instanceof Node) td.append(content); else td.textContent = content; return td; }
function fill(id, rows, none) {
  const body = byId(id).tBodies[0];
  const made = rows.map(cells => { const tr = document.createElement("tr"); tr.append(...cells); return tr; });
  if (!made.length) { const tr = document.createElement("tr"); const td = cell(none, "dim"); td.colSpan = 12; tr.append(td); made.push(tr); }
  body.replaceChildren(...made);
}
function line(values, kind) {
  const ns = "http://www.w3.org/2000/svg", width = 150, height = 28, svg = document.createElementNS(ns, "svg");
  svg.setAttribute("width", width); svg.setAttribute("height", height); svg.setAttribute("role", "img");
  const top = Math.max(...values, 1e-9), step = width / 299, from = width - (values.length - 1) * step;
  const drawn = document.createElementNS(ns, "polyline");
  drawn.setAttribute("class", kind);
  drawn.setAttribute("points", values.map((v, i) => (from + i * step).toFixed(1) + "," + (height - 2 - (height - 4) * v / top).toFixed(1)).join(" "));
  svg.append(drawn);
  return svg;
}
function show(state) {
  byId("name").textContent = state.name;
  document.title = "sage-rpc " + state.name;
  const names = [...new Set([...state.processes.map(p => p.service), ...Object.keys(state.rates)])];
  fill("services", names.map(name => {
    const all = state.rates[name] || [], last = all[all.length - 1] || {calls: 0, failures: 0, p50: 0, p90: 0, p99: 0, active: 0};
    const mine = state.processes.filter(p => p.service === name), serving = mine.filter(p => p.state === "serving").length;
    return [cell(name), cell(serving + " of " + mine.length, serving === mine.length ? "serving" : "failed"), cell(rate(last.calls), "n"), cell(rate(last.failures), last.failures ? "n error" : "n"),
      cell(duration(last.p50), "n"), cell(duration(last.p90), "n"), cell(duration(last.p99), "n"), cell(last.active, "n"), cell(line(all.map(s => s.calls), "calls")), cell(line(all.map(s => s.p99), "p99"))];
  }), "no services");
  fill("processes", state.processes.map(p => [cell(p.service), cell(p.number, "n"), cell(p.state, p.state), cell(p.pid || "–", "n"), cell(age(p.uptime), "n"), cell(p.restarts, "n"), cell(p.rss ? (p.rss / 1048576).toFixed(0) + " MiB" : "–", "n"), cell(p.error, "text")]), "no processes");
  fill("methods", state.methods.map(m => [cell(m.service + "." + m.method), cell(rate(m.calls), "n"), cell(rate(m.failures), m.failures ? "n error" : "n"), cell(duration(m.p50), "n"), cell(duration(m.p99), "n")]), "no calls in the last second");
  fill("errors", state.errors.map(e => [cell(clock(e.time)), cell(e.service + "." + e.method), cell(e.code, "error"), cell(e.text, "text")]), "none");
  fill("calls", state.calls.map(c => [cell(clock(c.time)), cell(c.service + "." + c.method), cell(duration(c.seconds), "n"), cell(c.code, c.code === "OK" ? "" : "error"), cell(c.peer), cell(c.trace || "–", "dim")]), "none yet");
}
async function look() {
  try {
    const answer = await fetch("state", {cache: "no-store"});
    if (!answer.ok) throw new Error((await answer.text()).trim());
    show(await answer.json());
    byId("note").textContent = "";
  } catch (error) {
    byId("note").textContent = "The supervisor does not answer: " + error.message;
  }
  setTimeout(look, 1000);
}
look();
