"use strict";
// What the page knows besides its text: see _Facts in page.py for the names.
const facts = JSON.parse(document.getElementById("data").textContent);
const bytes = Uint8Array.from(atob(facts.cells), (c) => c.charCodeAt(0));
const starts = [];
facts.maps.reduce((at, m) => (starts.push(at), at + m[4] * m[5]), 0);

const byId = (id) => document.getElementById(id);
const rows = facts.rows;
const rowElements = rows.map((_, k) => byId("r" + k));
const steps = rows.flatMap((r, k) => ((r.k === "f" || r.k === "b") && rowElements[k] ? [k] : []));
const svg = document.querySelector("svg.crg");
const nodes = [...svg.querySelectorAll(".node")];
const edges = [...svg.querySelectorAll(".edge")];
let current = -1;
let round = null; // of a rolled loop; null is its first

// ---------------------------------------------------------------- links between the columns

const rowsOfLine = new Map();
const rowsOfNode = new Map();
const note = (map, key, k) => map.set(key, [...(map.get(key) || []), k]);
rows.forEach((r, k) => {
  (r.l || []).forEach((line) => note(rowsOfLine, "L" + line, k));
  r.g.forEach((n) => note(rowsOfNode, n, k));
});
for (const [id] of rowsOfLine) byId(id).classList.add("linked");

function rowsOf(element) {
  if (element.classList.contains("row")) return [Number(element.id.slice(1))];
  if (element.classList.contains("node")) return rowsOfNode.get(Number(element.dataset.node)) || [];
  return rowsOfLine.get(element.id) || [];
}

function linkedElements(k) {
  const lines = (rows[k].l || []).map((line) => byId("L" + line));
  return [rowElements[k], ...lines, ...rows[k].g.map((n) => nodes[n])].filter(Boolean);
}

const linked = (target) => target instanceof Element && target.closest(".row, .node, .linked");

let lit = [];
function light(element) {
  lit.forEach((e) => e.classList.remove("lit"));
  lit = element ? rowsOf(element).flatMap(linkedElements) : [];
  lit.forEach((e) => e.classList.add("lit"));
}
document.addEventListener("pointerover", (event) => light(linked(event.target)));
document.addEventListener("focusin", (event) => light(linked(event.target)));
document.addEventListener("click", (event) => {
  const element = linked(event.target);
  if (element) choose(element);
});

/** Go to the row of an element; the next one of its rows where it is there already. */
function choose(element) {
  const mine = rowsOf(element).filter((k) => rowElements[k]);
  if (!mine.length) return;
  const at = mine.indexOf(current);
  const same = mine.find((k) => current >= 0 && rows[k].k === rows[current].k);
  show(at >= 0 ? mine[(at + 1) % mine.length] : same ?? mine[0]);
}

// ---------------------------------------------------------------- steps

let marked = [];
function show(k) {
  if (rows[current]?.f?.join() !== rows[k].f?.join()) round = null;
  current = k;
  const back = rows[k].k === "b";
  marked.forEach((e) => e.classList.remove("cur", "b", "on", "go"));
  marked[0]?.removeAttribute("aria-current");
  marked = linkedElements(k);
  marked.forEach((e) => e.classList.add("cur", ...(back ? ["b"] : [])));
  marked[0].setAttribute("aria-current", "step");
  const ends = new Set(rows[k].g.map(String));
  const side = back || rows[k].k === "i" ? "from" : "to";
  const on = edges.filter((e) => ends.has(e.dataset[side]));
  on.forEach((e) => e.classList.add("on", back ? "b" : "go"));
  svg.classList.toggle("some", on.length > 0);
  marked.push(...on);
  rove(rowElements[k]);
  if (document.activeElement.classList.contains("row")) rowElements[k].focus({ preventScroll: true });
  for (let e = rowElements[k].parentElement; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true;
  if (!narrow.matches) marked.slice(0, 1 + (rows[k].l || []).length + rows[k].g.length).forEach(reveal);
  describe();
}

/** Scroll a column, never the page, so that the element is in view. */
function reveal(element) {
  const pane = element.closest("#code, #derivation, .scroll");
  const a = pane.getBoundingClientRect();
  const b = element.getBoundingClientRect();
  if (b.top < a.top + 20) pane.scrollTop += b.top - a.top - a.height / 3;
  if (b.bottom > a.bottom - 20) pane.scrollTop += b.bottom - a.bottom + a.height / 3;
  if (b.left < a.left || b.right > a.right) pane.scrollLeft += b.left - a.left - 20;
}

function stepTo(n) {
  show(steps[Math.max(0, Math.min(steps.length - 1, n))]);
}
function move(by) {
  const n = steps.indexOf(current);
  if (n >= 0) return stepTo(n + by);
  const next = steps.findIndex((k) => k > current);
  stepTo(by > 0 ? (next < 0 ? steps.length - 1 : next) : next < 0 ? steps.length - 1 : next - 1);
}
byId("first").onclick = () => stepTo(0);
byId("back").onclick = () => move(-1);
byId("next").onclick = () => move(1);
byId("last").onclick = () => stepTo(steps.length - 1);
const narrow = matchMedia("(max-width: 1000px)");

// ---------------------------------------------------------------- keys

/** One stop for the tab key in each column. */
function rove(element) {
  const pane = element.closest("#code, #derivation, #graph");
  pane.querySelectorAll("[tabindex='0']").forEach((e) => e.setAttribute("tabindex", "-1"));
  element.setAttribute("tabindex", "0");
}
svg.setAttribute("role", "group");
for (const e of nodes) e.setAttribute("role", "button");
for (const e of document.querySelectorAll(".linked, .node")) e.setAttribute("tabindex", "-1");
for (const e of [document.querySelector(".linked"), nodes[0]]) if (e) e.setAttribute("tabindex", "0");

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (target.tagName === "INPUT") return;
  const element = linked(target);
  if (key === "ArrowRight") move(1);
  else if (key === "ArrowLeft") move(-1);
  else if (key === "Home") stepTo(0);
  else if (key === "End") stepTo(steps.length - 1);
  else if (key === "/") search.focus();
  else if (element && (key === "ArrowDown" || key === "ArrowUp")) neighbour(element, key === "ArrowDown" ? 1 : -1);
  else if (element && (key === "Enter" || key === " ")) choose(element);
  else return;
  event.preventDefault();
});

function neighbour(element, by) {
  const kind = ["row", "node", "linked"].find((c) => element.classList.contains(c));
  const all = [...document.querySelectorAll("." + kind)].filter((e) => e.getClientRects().length);
  const next = all[all.indexOf(element) + by];
  if (!next) return;
  rove(next);
  next.focus();
}

// ---------------------------------------------------------------- search

const search = byId("search");
const places = [...rowElements.filter(Boolean), ...document.querySelectorAll("#code li")];
const texts = places.map((e) => e.querySelector("code").textContent.toLowerCase());
let hits = [];
search.addEventListener("input", () => {
  const wanted = search.value.trim().toLowerCase();
  const found = wanted ? places.filter((_, n) => texts[n].includes(wanted)) : [];
  hits.forEach((e) => e.classList.remove("hit"));
  hits = found;
  hits.forEach((e) => e.classList.add("hit"));
  byId("hits").textContent = wanted ? `${hits.length} found` : "";
});
search.addEventListener("keydown", (event) => {
  const mine = hits.filter((e) => rowsOf(e).length);
  if (event.key === "Escape") {
    search.value = "";
    search.dispatchEvent(new Event("input"));
    search.blur();
  } else if (event.key === "Enter" && mine.length) {
    const at = mine.findIndex((e) => e.id === "r" + current);
    const next = mine[(at + (event.shiftKey ? mine.length - 1 : 1)) % mine.length];
    show(rowsOf(next)[0]);
    byId("hits").textContent = `${mine.indexOf(next) + 1} of ${hits.length}`;
  }
});

// ---------------------------------------------------------------- this step

/** An element with attributes and children; text is never read as HTML. */
function make(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) e.setAttribute(name, value);
  e.append(...children);
  return e;
}

/** Text with the cotangents marked, as in the rows. */
function tinted(text) {
  const parts = text.split(/([\p{L}_][\p{L}\p{N}_]*_bar(?:_\{[^}]*\}|_\w+)?)/u);
  return parts.map((part, n) => (n % 2 ? make("i", {}, part) : part));
}

const KINDS = { f: "Forward", d: "Forward, in between", b: "Backward", i: "Input", c: "Constant" };

function describe() {
  const row = rows[current];
  const n = steps.indexOf(current);
  byId("where").textContent = n < 0 ? KINDS[row.k] : `step ${n + 1} of ${steps.length}`;
  const head = KINDS[row.k] + (row.n ? `, statement ${row.n}` : row.k === "b" ? ", the gradient" : "");
  const rounds = row.f ? slider(row) : [];
  byId("step").replaceChildren(make("h2", {}, head), ...rounds, make("div", { id: "details" }));
  detail();
}

/** What the slider of a loop changes. */
function detail() {
  const row = rows[current];
  const at = roundOf(row);
  const other = row.f && row.o[at];
  const formula = rowElements[current].querySelector("code").cloneNode(true);
  formula.className = "formula";
  const parts = [other ? make("code", { class: "formula" }, ...tinted(other)) : formula];
  if (row.d && !other) parts.push(make("p", {}, make("code", { class: "dim" }, row.d)));
  if (row.k === "b" && row.u.length) parts.push(origin(row));
  const index = row.f ? at - row.f[1] : 0;
  const maps = [];
  if (row.v[index] >= 0) maps.push(map(row.v[index], row.m[0]));
  if (row.b[index] >= 0) maps.push(map(row.b[index], row.m[1]));
  if (row.k === "b") maps.reverse();
  parts.push(make("div", { class: "maps" }, ...maps));
  if (row.t) parts.push(sum(row));
  byId("details").replaceChildren(...parts);
}

/** The chosen round; without a choice the first one of the direction. */
function roundOf(row) {
  return row.f ? (round ?? (row.k === "b" ? row.f[1] + row.v.length - 1 : row.f[1])) : 0;
}

function slider(row) {
  const [letter, first] = row.f;
  const last = first + row.v.length - 1;
  const text = () => `${letter} = ${roundOf(row)} of ${last}`;
  const output = make("output", {}, text());
  const input = make("input", { type: "range", min: first, max: last, "aria-label": "Round of the loop" });
  input.value = roundOf(row);
  input.oninput = () => {
    round = Number(input.value);
    output.textContent = text();
    detail();
  };
  return [make("p", { class: "slider" }, output, input)];
}

/** Where a cotangent comes from, with links to the statements and rules. */
function origin(row) {
  const p = make("p", { class: "dim" });
  row.s.forEach((n, i) => p.append(i ? ", " : "from statement ", statement(n)));
  row.u.forEach((r, i) => p.append(i ? ", " : " by ", make("a", { href: "#rule" + r }, facts.rules[r])));
  return p;
}

function statement(n) {
  const k = rows.findIndex((r) => r.k === "f" && r.n === n);
  if (!rowElements[k]) return String(n);
  const link = make("a", { href: "#r" + k }, String(n));
  link.onclick = (event) => {
    event.preventDefault();
    show(k);
  };
  return link;
}

function sum(row) {
  const items = row.t.map(([text, number, m]) =>
    make("li", {}, make("code", {}, ...tinted(text)), ...(number ? [make("span", { class: "dim" }, " from statement ", statement(number))] : []),
      ...(m >= 0 ? [map(m, "")] : [])));
  return make("div", {}, make("h2", {}, `The sum of ${row.t.length} parts`), make("ul", { id: "terms" }, ...items));
}

// ---------------------------------------------------------------- maps of colours

function colours() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(name).trim().slice(1).match(/../g).map((h) => parseInt(h, 16));
  return { minus: read("--minus"), mid: read("--mid"), plus: read("--plus"), bad: read("--bad") };
}

/** The colour of a byte: see heat.py. */
function colour(byte, c) {
  if (byte === 0 || byte === 1 || byte === 255) return c.bad;
  const part = (byte - 128) / 125;
  const end = part < 0 ? c.minus : c.plus;
  return c.mid.map((m, n) => Math.round(m + (end[n] - m) * Math.abs(part)));
}

const number = (x) => (Math.abs(x) >= 1e4 || (x && Math.abs(x) < 1e-3) ? x.toExponential(2) : x.toPrecision(3)).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");

function map(m, name) {
  const [shape, text, fullRows, fullColumns, r, c, largest, numbers] = facts.maps[m];
  const flat = !r || text === "0";
  const caption = make("figcaption", {}, make("code", {}, name), flat && shape ? ` ${shape}, all ${text}` : flat ? ` ${text}` : ` ${shape}`);
  const figure = make("figure", {}, caption);
  if (flat) return figure;
  const cells = bytes.subarray(starts[m], starts[m] + r * c);
  if (numbers.length && fullColumns <= 6) figure.append(table(cells, r, c, numbers));
  else figure.append(picture(cells, r, c, fullRows, fullColumns, largest));
  const scale = make("div", { class: "scale" }, make("span", {}, number(-largest)), make("span", {}, number(largest)));
  figure.append(scale, make("figcaption", {}, text));
  if (r < fullRows || c < fullColumns) figure.append(make("figcaption", {}, "cells: means of blocks"));
  return figure;
}

function table(cells, r, c, numbers) {
  const palette = colours();
  const e = make("table", { class: "numbers" });
  for (let i = 0; i < r; i++) {
    const line = e.insertRow();
    for (let j = 0; j < c; j++) {
      const [x, y, z] = colour(cells[i * c + j], palette);
      const cell = line.insertCell();
      cell.textContent = numbers[i * c + j];
      cell.style.background = `rgb(${x} ${y} ${z})`;
      cell.style.color = 0.3 * x + 0.59 * y + 0.11 * z > 140 ? "#111" : "#fff";
    }
  }
  return e;
}

function picture(cells, r, c, fullRows, fullColumns, largest) {
  const palette = colours();
  const canvas = make("canvas", { width: c, height: r, role: "img", "aria-label": "map of the values" });
  const size = Math.max(4, Math.min(16, Math.floor(150 / Math.max(r, c))));
  canvas.style.width = Math.max(14, c * size) + "px";
  canvas.style.height = Math.max(14, r * size) + "px";
  const image = new ImageData(c, r);
  cells.forEach((byte, n) => image.data.set([...colour(byte, palette), 255], 4 * n));
  canvas.getContext("2d").putImageData(image, 0, 0);
  canvas.onmousemove = (event) => {
    const j = Math.min(c - 1, Math.floor((event.offsetX / canvas.clientWidth) * c));
    const i = Math.min(r - 1, Math.floor((event.offsetY / canvas.clientHeight) * r));
    const part = (cells[i * c + j] - 128) / 125;
    canvas.title = `[${block(i, r, fullRows)}, ${block(j, c, fullColumns)}] about ${number(Math.sign(part) * part * part * largest)}`;
  };
  return canvas;
}

function block(i, count, full) {
  const a = Math.trunc((i * full) / count);
  const b = Math.trunc(((i + 1) * full) / count) - 1;
  return b > a ? `${a}…${b}` : `${a}`;
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", describe);
stepTo(0);
