// The page of a comparison: plots, lists to choose from, names that switch curves off, tables to sort.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { attempts, words } = data;
  const DASHES = ["solid", "dash", "dot", "dashdot"];
  const DASH_PATTERNS = ["", "6 3", "2 3", "6 3 2 3"];
  const MOST_IN_ONE_HOVER = 8;
  const byId = (id) => document.getElementById(id);
  const isKnown = (value) => value !== null && value !== undefined;
  const figure = (value, digits = 3) => (isKnown(value) ? value.toFixed(digits) : "–");
  const dashOf = (at) => Math.floor(at / PLOT_COLOURS) % DASHES.length;
  // An axis takes "3", "#3" and "2024-01" for numbers and dates; with this behind it, each is a word.
  const category = (text) => `${text}\u200b`;

  function make(tag, parent, text, attributes = {}) {
    const element = document.createElement(tag);
    if (isKnown(text)) element.textContent = text;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    parent?.append(element);
    return element;
  }

  function fill(id, entries, chosen) {  // entries: [value, text]; calls back at once and at each choice
    const list = byId(id);
    if (!list) return;
    const before = list.value;
    list.replaceChildren(...entries.map(([value, text]) => make("option", null, text, { value })));
    if (entries.some(([value]) => String(value) === before)) list.value = before;
    list.parentElement.hidden = entries.length < 2;
    list.onchange = () => chosen(list.value);
    if (entries.length) chosen(list.value);
  }

  // --- curves that names switch off -------------------------------------------------------------------------------
  const hidden = new Set();
  const switched = new Map();  // id of a plot -> its traces, each with the attempt that it is of

  function plotAttempts(id, traces, options) {
    for (const trace of traces) {
      Object.assign(trace, { name: attempts[trace.attempt].name, colour: trace.attempt, dash: DASHES[dashOf(trace.attempt)],
        hidden: hidden.has(trace.attempt), legend: false });
    }
    switched.set(id, traces);
    plotLines(id, traces, { hovermode: traces.length > MOST_IN_ONE_HOVER ? "closest" : "x unified", ...options });
  }

  function switchAttempt(at) {
    if (!hidden.delete(at)) hidden.add(at);
    for (const chip of document.querySelectorAll(`.chip[data-attempt="${at}"]`)) {
      chip.setAttribute("aria-pressed", String(!hidden.has(at)));
    }
    for (const [id, traces] of switched) {
      const places = [...traces.keys()].filter((place) => traces[place].attempt === at);
      for (const place of places) traces[place].hidden = hidden.has(at);
      if (places.length && byId(id).data) Plotly.restyle(id, { visible: hidden.has(at) ? "legendonly" : true }, places);
    }
  }

  function fillChips() {
    for (const row of document.querySelectorAll(".chips")) {
      for (const [at, attempt] of attempts.entries()) {
        const pr = Object.values(data.pr).some((split) => split.attempts[at]);
        if (!data.curves[at] && !pr) continue;
        const chip = make("button", row, null, { type: "button", class: "chip", "data-attempt": at, "aria-pressed": "true" });
        chip.append(lineSample(at));
        make("span", chip, attempt.name);
        chip.onclick = () => switchAttempt(at);
      }
    }
  }

  function lineSample(at) {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg"), line = document.createElementNS(space, "line");
    svg.setAttribute("viewBox", "0 0 26 10");
    svg.setAttribute("aria-hidden", "true");
    for (const [name, value] of Object.entries({ x1: 0, x2: 26, y1: 5, y2: 5, "stroke-width": 3 })) line.setAttribute(name, value);
    line.setAttribute("stroke-dasharray", DASH_PATTERNS[dashOf(at)]);
    line.style.stroke = `var(--c${at % PLOT_COLOURS})`;
    svg.append(line);
    return svg;
  }

  // --- scores -----------------------------------------------------------------------------------------------------
  function dots(metric) {
    return metric.values.flatMap((value, at) => {
      if (!isKnown(value)) return [];
      const { name, short } = attempts[at], x = category(short), low = metric.low[at], high = metric.high[at];
      const range = isKnown(low) && isKnown(high) ? ` [${figure(low)}, ${figure(high)}]` : "";
      const shared = { name, legend: false, colour: attempts.length > PLOT_COLOURS ? 0 : at };
      return [
        { ...shared, x: [x], y: [value], markers: "only", size: 9, text: [`${figure(value)}${range} · ${name}`] },
        ...(range ? [{ ...shared, x: [x, x], y: [low, high], hover: false }] : []),
      ];
    });
  }

  function drawScores(id, metrics) {
    for (const [at, metric] of metrics.entries()) {
      const known = metric.values.filter(isKnown).length;
      make("div", byId(id), null, { id: `${id}-${at}` });
      plotLines(`${id}-${at}`, dots(metric), { title: metric.name, hovermode: "closest", height: 280, xrange: [-0.6, known - 0.4] });
    }
  }

  // --- which setting moved mAP ------------------------------------------------------------------------------------
  function median(values) {
    const sorted = [...values].sort((a, b) => a - b), middle = sorted.length >> 1;
    return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  function drawEffect() {
    const metric = data.metrics[byId("effect-metric").value], setting = byId("effect-setting").value;
    if (!metric || !setting) return;
    const values = data.effects.settings[setting];
    const among = data.effects.among?.[setting];  // attempts of the one track that has it
    const points = metric.values.flatMap((y, at) => (isKnown(y) && (among?.includes(at) ?? true) ? [{ y, value: values[at], at }] : []));
    const areNumbers = points.every(({ value }) => typeof value === "number");
    const shown = (value) => (areNumbers ? value : category(isKnown(value) ? value : words["not set"]));
    points.sort((a, b) => isKnown(a.value) - isKnown(b.value)
      || (typeof a.value === "number" && typeof b.value === "number" ? a.value - b.value : String(a.value).localeCompare(String(b.value))));
    const groups = new Map();
    for (const { value, y } of points) groups.set(shown(value), [...(groups.get(shown(value)) || []), y]);
    const lowest = Math.min(...points.map(({ y }) => y)), highest = Math.max(...points.map(({ y }) => y));
    const pad = 0.08 * (highest - lowest) + 0.01;
    const numbers = points.map(({ value }) => value);
    const isWide = areNumbers && Math.min(...numbers) > 0 && Math.max(...numbers) / Math.min(...numbers) > 50;
    plotLines("effect-plot", [
      { name: words.median, x: [...groups.keys()], y: [...groups.values()].map(median), colour: "--muted", dash: "dot", width: 1.5, hover: false },
      { name: metric.name, x: points.map(({ value }) => shown(value)), y: points.map(({ y }) => y), markers: "only", colour: 0, size: 9,
        text: points.map(({ y, value, at }) => `${figure(y)} · ${value ?? words["not set"]} · ${attempts[at].name}`) },
    ], { x: setting, y: metric.name, yrange: [lowest - pad, highest + pad], hovermode: "closest", height: 380, log: isWide ? ["x"] : [] });
  }

  function showPairs(metric) {
    const box = byId("pairs");
    if (!box) return;
    const rows = data.effects.pairs[metric];
    if (!rows.length) return box.replaceChildren(make("p", null, words["no pairs"], { class: "muted" }));
    const heads = ["setting", "before", "after", "change", "pairs count"].map((word) => words[word]);
    box.replaceChildren(tableOf(heads, rows.map(([setting, before, after, change, pairs]) => [
      { text: setting }, { text: before, order: before }, { text: after, order: after },
      { text: (change > 0 ? "+" : "") + figure(change), order: change, style: change > 0 ? "good" : change < 0 ? "bad" : "" },
      { text: pairs, order: pairs },
    ])));
  }

  function fillEffects() {
    if (!data.effects) return;
    const settings = Object.keys(data.effects.settings);
    fill("effect-metric", data.metrics.map(({ name }, at) => [at, name]), (metric) => {
      showPairs(metric);
      const moved = data.effects.pairs ? data.effects.pairs[metric].map(([setting]) => setting) : [];
      const ordered = [...new Set([...moved, ...settings])].filter((setting) => settings.includes(setting));
      fill("effect-setting", ordered.map((setting) => [setting, setting]), drawEffect);
    });
  }

  // --- tables -----------------------------------------------------------------------------------------------------
  function tableOf(heads, rows) {  // rows of {text, order?, style?}; the first of each is its heading
    const table = make("table", null, null, { class: "attempts sortable" });
    const top = make("tr", make("thead", table)), body = make("tbody", table);
    for (const head of heads) make("button", make("th", top, null, { scope: "col" }), head, { type: "button" });
    for (const cells of rows) {
      const row = make("tr", body);
      for (const [at, { text, order, style }] of cells.entries()) {
        const cell = make(at ? "td" : "th", row, text, at ? {} : { scope: "row" });
        if (isKnown(order ?? (at ? null : text))) cell.dataset.order = order ?? text;
        if (style) cell.className = style;
      }
    }
    letSort(table);
    return table;
  }

  function letSort(table) {
    for (const button of table.querySelectorAll("thead button")) button.onclick = () => sortBy(table, button.closest("th"));
  }

  function sortBy(table, head) {
    const column = [...head.parentElement.children].indexOf(head), body = table.tBodies[0];
    const rows = [...body.rows].map((row) => ({ row, order: row.cells[column].dataset.order }));
    const known = rows.filter(({ order }) => order !== undefined);
    const areNumbers = known.every(({ order }) => order !== "" && Number.isFinite(Number(order)));
    const was = head.getAttribute("aria-sort");
    const way = (was ? was === "descending" : !areNumbers) ? "ascending" : "descending";
    const sign = way === "ascending" ? 1 : -1;
    const compared = areNumbers ? (a, b) => a.order - b.order : (a, b) => a.order.localeCompare(b.order, undefined, { numeric: true });
    known.sort((a, b) => sign * compared(a, b));
    for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", way);
    body.append(...known.map(({ row }) => row), ...rows.filter(({ order }) => order === undefined).map(({ row }) => row));
  }

  function showClasses() {
    const { figures, rows } = data.classes[byId("class-split").value], place = Number(byId("class-figure").value);
    const digits = ["truths", "images"].includes(figures[place]) ? 0 : 3;
    const cells = rows.map(([name, values]) => [{ text: name, order: name }, ...values.map((value) => ({
      text: figure(value?.[place], digits), order: value?.[place],
    }))]);
    byId("class-table").replaceChildren(tableOf([words.class, ...attempts.map(({ short }) => short)], cells));
  }

  function fillClasses() {
    const splits = Object.keys(data.classes);  // val first: choices are made on it
    fill("class-split", splits.map((split) => [split, split]), (split) => {
      fill("class-figure", data.classes[split].figures.map((name, at) => [at, words[name] ?? name]), showClasses);
    });
  }

  // --- curves -----------------------------------------------------------------------------------------------------
  function drawCurves(along) {
    const columns = new Set(data.curves.flatMap((curves) => (curves ? Object.keys(curves.columns) : [])));
    const box = byId("curve-plots");
    for (const [at, column] of [...columns].entries()) {
      const id = `curve-${at}`;
      if (!byId(id)) make("div", box, null, { id });
      const traces = data.curves.flatMap((curves, attempt) => {
        const x = curves?.along[along], y = curves?.columns[column];
        const few = curves?.sparse && y && y.filter(isKnown).length <= 40;
        return x && y ? [{ attempt, x, y, ...(curves.sparse ? { join: true, markers: few, size: 4 } : {}) }] : [];
      });
      plotAttempts(id, traces, { title: column, x: words[along === "step" ? "step axis" : along], height: 300 });
    }
  }

  function fillCurves() {
    const along = ["epoch", "step", "seconds"].filter((name) => data.curves.some((curves) => curves?.along[name]));
    const having = (name) => data.curves.filter((curves) => curves?.along[name]).length;
    along.sort((a, b) => having(b) - having(a));
    fill("curve-along", along.map((name) => [name, words[name === "step" ? "step axis" : name]]), drawCurves);
  }

  function drawPr() {
    const split = data.pr[byId("pr-split").value], name = byId("pr-class").value;
    const curveOf = (found) => (name === "" ? found.mean : found["by class"][name]);
    const traces = (x, y) => split.attempts.flatMap((found, attempt) => (found && y(found)?.length ? [{ attempt, x: found[x], y: y(found) }] : []));
    const range = [0, 1.02];
    plotAttempts("pr-plot", traces("recall", curveOf), { x: words["pr axis recall"], y: words["pr axis precision"], xrange: range, yrange: range });
    plotAttempts("f1-plot", traces("conf", (found) => found.f1), { x: words["pr axis conf"], y: "F1", xrange: range, yrange: range });
  }

  function fillPr() {
    const splits = Object.keys(data.pr);
    fill("pr-split", splits.map((split) => [split, split]), (split) => {
      const names = data.pr[split].classes.map((name, at) => [at, name]);
      fill("pr-class", [["", words["all classes"]], ...names], drawPr);
    });
  }

  // --- cost -------------------------------------------------------------------------------------------------------
  function drawCost() {
    const metric = data.metrics[byId("cost-metric").value], along = byId("cost-along").value;
    if (!metric || !along) return;
    const costs = data.cost[along];
    const traces = metric.values.flatMap((value, at) => (isKnown(value) && isKnown(costs[at]) ? [{
      name: attempts[at].name, x: [costs[at]], y: [value], markers: "only", size: 11, colour: at, legend: attempts.length <= 20,
      text: [`${figure(value)} · ${Number(costs[at].toPrecision(4)).toLocaleString()} · ${attempts[at].name}`],
    }] : []));
    const known = costs.filter((cost) => cost > 0);
    const unit = { parameters: "", weights: " (MB)" }[along] ?? " (s)";
    plotLines("cost-plot", traces, { x: words[along] + unit, y: metric.name, hovermode: "closest", height: 360,
      log: Math.max(...known) / Math.min(...known) > 20 ? ["x"] : [] });
  }

  function fillCost() {
    fill("cost-metric", data.metrics.map(({ name }, at) => [at, name]), () => {
      fill("cost-along", Object.keys(data.cost).map((name) => [name, words[name]]), drawCost);
    });
  }

  for (const table of document.querySelectorAll("table.sortable")) letSort(table);
  fillChips();
  if (byId("score-plots")) drawScores("score-plots", data.metrics.filter(({ own }) => !own));
  if (byId("own-plots")) drawScores("own-plots", data.metrics.filter(({ own, name }) => own && /map/i.test(name)));
  fillEffects();
  if (byId("classes")) fillClasses();
  if (byId("curves")) fillCurves();
  if (byId("pr")) fillPr();
  if (byId("tradeoff")) fillCost();
})();
