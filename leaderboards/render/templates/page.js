"use strict";
// Draws what the page holds. Strings of records reach the document as text nodes, or escaped where plotly reads markup.
const data = JSON.parse(document.getElementById("data").textContent);
const root = document.documentElement;
const media = window.matchMedia("(prefers-color-scheme: dark)");
const narrow = () => window.innerWidth < 768;

// Okabe and Ito's colours, told apart by colour-blind readers; symbols and dashes repeat what colours say.
const COLOURS = ["#1F83CC", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8A6FDF", "#7F8C1A"];
const SYMBOLS = ["circle", "square", "triangle-up", "diamond", "cross", "x", "triangle-down", "star", "hexagon", "pentagon"];
const DASHES = ["solid", "dash", "dot", "dashdot", "longdash"];
const COSTS = {
  training: "training seconds", macs: "MACs", latency: "latency, ms", params: "parameters", memory: "training memory, MiB",
};
const labels = [...new Set(data.boards.flatMap((board) => board.rows.map((row) => row.label)))].sort();
const style = new Map(labels.map((label, i) => [label, {
  colour: COLOURS[i % COLOURS.length], symbol: SYMBOLS[i % SYMBOLS.length], dash: DASHES[Math.floor(i / COLOURS.length) % DASHES.length],
}]));

function escaped(text) {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

function short(text, most = 26) {
  return escaped(text.length > most ? text.slice(0, most - 1) + "…" : text);
}

function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  if (text !== null) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

// ---- theme -----------------------------------------------------------------------------------------------------------
const THEMES = ["auto", "light", "dark"];
let theme = "auto";

function applyTheme() {
  const dark = theme === "dark" || (theme === "auto" && media.matches);
  root.classList.toggle("dark", dark);
  document.getElementById("theme-name").textContent = theme;
  document.querySelectorAll(".chart.js-plotly-plot").forEach(draw);
}

document.getElementById("theme").addEventListener("click", () => {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  applyTheme();
});
media.addEventListener("change", applyTheme);
document.getElementById("jump").addEventListener("change", (event) => {
  const target = document.getElementById(event.target.value);
  target.scrollIntoView();
  target.focus({ preventScroll: true });
});

// ---- charts ----------------------------------------------------------------------------------------------------------
function layout(extra) {
  const css = getComputedStyle(root);
  const colour = (name) => css.getPropertyValue(name).trim();
  const axis = { gridcolor: colour("--line"), zerolinecolor: colour("--line"), linecolor: colour("--muted"), automargin: true };
  const made = {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", margin: { l: 10, r: 12, t: 30, b: 10 }, // the buttons' place
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("--muted"), activecolor: colour("--ink") },
    font: { color: colour("--ink"), family: "system-ui, sans-serif", size: 12 }, hovermode: "closest",
    hoverlabel: { bgcolor: colour("--card"), font: { color: colour("--ink") }, bordercolor: colour("--muted") },
    legend: { orientation: "h", yref: "container", y: 0, yanchor: "bottom", itemwidth: 30 }, height: 340, ...extra,
  };
  made.xaxis = { ...axis, ...(extra.xaxis || {}) };
  made.yaxis = { ...axis, ...(extra.yaxis || {}) };
  return made;
}

function seeds(board) {
  const rows = board.rows.filter((row) => row.scores.length).reverse();
  const names = rows.map((row) => row.id);
  const points = rows.map((row) => ({
    type: "scatter", mode: "markers", x: row.scores.map((s) => s[1]), y: row.scores.map(() => row.id), showlegend: false,
    text: row.scores.map((s) => "seed " + s[0]), hovertemplate: "%{text}: %{x}<extra>" + short(row.label) + "</extra>",
    marker: { color: style.get(row.label).colour, symbol: "circle-open", size: 9 },
  }));
  const bars = rows.map((row) => ({
    type: "scatter", mode: "markers", x: [row.mean], y: [row.id], showlegend: false,
    hovertemplate: "mean %{x}<extra>" + short(row.label) + "</extra>",
    error_x: row.low === null ? undefined : { type: "data", symmetric: true, array: [row.high - row.mean], thickness: 2, width: 5, color: style.get(row.label).colour },
    marker: { color: style.get(row.label).colour, symbol: "line-ns", size: 14, line: { width: 3, color: style.get(row.label).colour } },
  }));
  const shapes = [], annotations = [];
  const line = (value, text, dash) => {
    if (value === null || value === undefined) return;
    shapes.push({ type: "line", x0: value, x1: value, yref: "paper", y0: 0, y1: 1, line: { dash, width: 1.5, color: "#8894a5" } });
    annotations.push({ x: value, yref: "paper", y: 1, yanchor: "bottom", text, showarrow: false, font: { size: 11 } });
  };
  const control = board.rows.find((row) => row.id === board.control);
  line(control && control.mean, "control", "dot");
  const teacher = board.references.find((each) => each.main);
  line(teacher && teacher.mean, "teacher", "dash");
  return [[...points, ...bars], layout({
    height: Math.max(222, 112 + 30 * rows.length), shapes, annotations, margin: { l: 10, r: 12, t: 46, b: 10 },
    xaxis: { title: { text: escaped(board.metric) + (board.higher ? " (higher is better)" : " (lower is better)") } },
    yaxis: { type: "category", categoryarray: names, categoryorder: "array", tickvals: names, ticktext: rows.map((row) => short(row.label, narrow() ? 16 : 26)) },
  })];
}

function pareto(board, axis) {
  const boards = data.boards.filter((each) => each.scene === board.scene);
  const points = boards.flatMap((each) => each.rows
    .filter((row) => row.mean !== null && row.status === "ok" && row.cost[axis] > 0)
    .map((row) => ({ x: row.cost[axis], y: row.mean, row, board: each })));
  const sign = board.higher ? 1 : -1;
  const ordered = [...points].sort((a, b) => a.x - b.x || sign * (b.y - a.y));
  const front = [];
  for (const point of ordered) if (!front.length || sign * (point.y - front[front.length - 1].y) > 0) front.push(point);
  const traces = [{
    type: "scatter", mode: "lines", name: "frontier", x: front.map((p) => p.x), y: front.map((p) => p.y),
    line: { shape: "hv", width: 1.5, dash: "dot", color: "#8894a5" }, hoverinfo: "skip",
  }];
  for (const label of [...new Set(points.map((p) => p.row.label))].sort()) {
    const own = points.filter((p) => p.row.label === label);
    const look = style.get(label);
    traces.push({
      type: "scatter", mode: "markers", name: short(label), x: own.map((p) => p.x), y: own.map((p) => p.y),
      text: own.map((p) => escaped(p.board.name)), hovertemplate: "%{y} at %{x}<br>%{text}<extra>" + short(label) + "</extra>",
      error_y: { type: "data", array: own.map((p) => (p.row.high === null ? 0 : p.row.high - p.row.mean)), thickness: 1, width: 3, color: look.colour },
      marker: { color: look.colour, symbol: own.map((p) => look.symbol + (p.board === boards[0] ? "" : "-open")), size: 11, line: { width: own.map((p) => (p.board === boards[0] ? 0 : 2)) } },
    });
  }
  const seen = new Set();
  const teachers = boards.flatMap((each) => each.references).filter((each) => {
    const fresh = each.mean !== null && each.cost[axis] > 0 && !seen.has(each.label);
    seen.add(each.label);
    return fresh;
  });
  if (teachers.length) traces.push({
    type: "scatter", mode: "markers", name: "teachers", x: teachers.map((t) => t.cost[axis]), y: teachers.map((t) => t.mean),
    text: teachers.map((t) => escaped(t.label)), hovertemplate: "%{y} at %{x}<br>%{text}<extra></extra>",
    marker: { symbol: "star-diamond-open", size: 13, color: "#8894a5", line: { width: 2 } },
  });
  return [traces, layout({
    height: narrow() ? 440 : 400, xaxis: { title: { text: COSTS[axis] }, rangemode: "normal" },
    yaxis: { title: { text: escaped(board.metric) + (board.higher ? " ↑" : " ↓") } },
  })];
}

function curves(board, series) {
  const traces = board.rows.filter((row) => row.curves[series]).map((row) => ({
    type: "scatter", mode: "lines", name: short(row.label), x: row.curves[series][0], y: row.curves[series][1],
    line: { color: style.get(row.label).colour, dash: style.get(row.label).dash, width: 1.8 },
    hovertemplate: "%{y} at step %{x}<extra>" + short(row.label) + "</extra>",
  }));
  return [traces, layout({ height: 300, xaxis: { title: { text: "step" } }, yaxis: { title: { text: short(series, 40) } } })];
}

function draw(place) {
  const board = data.boards[Number(place.dataset.board)];
  const choice = place.closest("figure").querySelector("select");
  const [traces, looks] = { seeds, pareto, curves }[place.dataset.chart](board, choice && choice.value);
  Plotly.react(place, traces, looks, { displaylogo: false, responsive: true, modeBarButtons: [["toImage", "resetScale2d"]] });
}

function options(select, values) {
  for (const [value, text] of values) select.append(element("option", text, { value }));
  select.addEventListener("change", () => draw(select.closest("figure").querySelector(".chart")));
}

function prepare(place) {
  const board = data.boards[Number(place.dataset.board)];
  const figure = place.closest("figure");
  if (place.dataset.chart === "curves") {
    const found = new Set(board.rows.flatMap((row) => Object.keys(row.curves)));
    const names = [...found].sort((a, b) => (a === "lr") - (b === "lr"));
    options(figure.querySelector("select"), names.map((name) => [name, name]));
  } else if (place.dataset.chart === "pareto") {
    const boards = data.boards.filter((each) => each.scene === board.scene);
    const known = Object.keys(COSTS).filter((cost) => boards.some((each) => each.rows.some((row) => row.mean !== null && row.cost[cost] > 0)));
    options(figure.querySelector("select"), known.map((cost) => [cost, COSTS[cost]]));
    figure.hidden = known.length === 0;
  } else {
    figure.hidden = !board.rows.some((row) => row.scores.length);
  }
}

// ---- panels ----------------------------------------------------------------------------------------------------------
function showPanels(place) {
  for (const panel of data.boards[Number(place.dataset.board)].panels) {
    const button = element("button", null, { type: "button", "aria-haspopup": "dialog" });
    button.append(element("img", null, { src: panel.image, alt: "Predictions of " + panel.label, loading: "lazy" }), element("span", panel.label));
    button.addEventListener("click", () => {
      document.getElementById("picture-title").textContent = panel.label;
      const image = document.getElementById("picture-image");
      image.src = panel.image;
      image.alt = "Predictions of " + panel.label;
      document.getElementById("picture").showModal();
    });
    place.append(button);
  }
}

// ---- provenance ------------------------------------------------------------------------------------------------------
function section(title, facts) {
  const groups = new Map();
  for (const [key, value] of Object.entries(facts)) {
    const [part, ...rest] = key.split(".");
    const group = rest.length ? part : "run";
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group).push([rest.length ? rest.join(".") : part, value]);
  }
  if (!groups.size) return [];
  const list = element("dl", null);
  for (const [group, pairs] of groups) {
    for (const [key, value] of pairs) list.append(element("dt", (group === "run" ? "" : group + " ") + key.replace(/[._]/g, " ")), element("dd", value));
  }
  return [element("h3", title), list];
}

function showProvenance(index, number) {
  const board = data.boards[index], row = board.rows[number], origin = board.origins[number];
  document.getElementById("provenance-title").textContent = row.label;
  const body = document.getElementById("provenance-body");
  body.replaceChildren();
  for (const reason of row.reasons) body.append(element("p", reason));
  body.append(...section("This row", origin.shared));
  origin.runs.forEach((run) => body.append(...section("Seed " + (run.seed ?? ""), run)));
  body.append(...section("The whole board", board.facts));
  const dialog = document.getElementById("provenance");
  dialog.showModal();
  dialog.scrollTop = 0;
}

document.querySelectorAll("dialog").forEach((dialog) => dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
}));

// ---- tables ----------------------------------------------------------------------------------------------------------
async function tables() {
  const source = Uint8Array.from(atob(document.getElementById("tables").textContent), (c) => c.charCodeAt(0));
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { default: DataTable } = await import(address);
  URL.revokeObjectURL(address);
  for (const table of document.querySelectorAll("table.board")) {
    const many = table.tBodies[0].rows.length > 25;
    new DataTable(table, {
      order: [], paging: many, pageLength: 25, info: many, autoWidth: false, orderMulti: true,
      layout: { topStart: { buttons: [{ extend: "colvis", text: "columns" }] }, topEnd: "search", bottomStart: many ? "info" : null, bottomEnd: many ? "paging" : null },
      language: { search: "filter", emptyTable: "no rows" },
    });
    const scroller = element("div", null, { class: "dt-scroller", tabindex: "0", role: "region", "aria-label": "board, scrolls sideways" });
    table.before(scroller);
    scroller.append(table);
    table.tBodies[0].addEventListener("click", (event) => {
      const line = event.target.closest("tr[data-row]");
      if (line && !String(getSelection())) showProvenance(Number(table.dataset.board), Number(line.dataset.row));
    });
  }
  root.dataset.tables = "ready";
}

function lazily(places, act) {
  const observer = new IntersectionObserver((seen) => {
    for (const entry of seen.filter((each) => each.isIntersecting)) {
      observer.unobserve(entry.target);
      act(entry.target);
    }
  }, { rootMargin: "300px" });
  places.forEach((place) => observer.observe(place));
}

applyTheme();
document.querySelectorAll(".chart").forEach(prepare);
lazily(document.querySelectorAll(".chart"), draw);
document.querySelectorAll(".panels").forEach((place) => lazily([place.parentElement], () => showPanels(place)));
tables();
