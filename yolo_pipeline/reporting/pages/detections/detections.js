// The page of detections: one confidence for all pictures, classes that are switched off, order, names.
"use strict";

const DATA = JSON.parse(document.getElementById("data").textContent);
const SAY = DATA.say, LOWEST = DATA.thresholds[0], HIGHEST = DATA.thresholds.at(-1);
const FIGURES = 24, ROWS = 100;  // that are added at a time
const BARS = 60;  // of the histogram of scores
const STEP = 0.01;  // of the confidence, by an arrow key
const isNarrow = () => innerWidth < 640;  // as in the style
const byId = (id) => document.getElementById(id);

const said = (key, values = {}) => SAY[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
const boxesSaid = (n) => said(n === 1 ? "box_1" : "box_n", { n: number(n) });
// Two digits, the rest cut off: what is below a threshold never reads as if it reached it.
const scoreSaid = (score) => (score < 0 ? "–" : (Math.floor(score * 100 + 1e-9) / 100).toFixed(2));
const confSaid = (value) => String(Number(value.toPrecision(6)));

const wanted = DATA.classes.map(() => true);
const choice = { conf: LOWEST, marks: true, query: "", sort: byId("sort")?.value ?? "name" };

// boxes: [class, score, class, score, …], the surest first. What is counted of it: boxes that stay and those that have
// vanished at the confidence, those that vanish between the thresholds asked for, and the surest score.
const pictures = DATA.pictures.map(([name, note, boxes, drawn, file], place) => ({
  name, note, boxes, drawn, file, place, large: DATA.large[place] ?? null, plain: plain(name),
  stay: 0, gone: 0, vanishing: 0, surest: -1, figure: null }));

// A name as it is searched for: Hangul and accents may be composed or not.
function plain(text) {
  return text.normalize("NFC").toLowerCase();
}

const kindOf = (label, score) => (!wanted[label] ? "off" : score >= choice.conf ? "stays" : choice.marks ? "vanished" : "off");

// ---- counting

function count() {
  const classes = DATA.classes.map(() => 0), bars = new Array(BARS).fill(0);
  const total = { boxes: 0, pictures: 0, vanished: 0 };
  for (const one of pictures) {
    countOne(one, classes, bars);
    total.boxes += one.stay;
    total.pictures += one.stay > 0 ? 1 : 0;
    total.vanished += one.gone;
  }
  return { classes, bars, total };
}

function countOne(one, classes, bars) {
  Object.assign(one, { stay: 0, gone: 0, vanishing: 0, surest: -1 });
  for (let at = 0; at < one.boxes.length; at += 2) {
    const label = one.boxes[at], score = one.boxes[at + 1];
    if (score >= choice.conf) classes[label] += 1;
    if (!wanted[label]) continue;
    if (score >= choice.conf) one.stay += 1; else one.gone += 1;
    if (score < HIGHEST) one.vanishing += 1;
    one.surest = Math.max(one.surest, score);
    bars[Math.min(BARS - 1, Math.floor(((score - LOWEST) / (1 - LOWEST || 1)) * BARS))] += 1;
  }
}

function showCounts({ classes, bars, total }) {
  for (const [key, value] of Object.entries(total)) document.querySelector(`[data-count="${key}"]`).textContent = number(value);
  for (const [label, place] of document.querySelectorAll("#classes .count").entries()) place.textContent = number(classes[label]);
  const value = confSaid(choice.conf), slider = byId("conf");
  byId("conf-value").textContent = value;
  slider.setAttribute("aria-valuetext", `${value}: ${boxesSaid(total.boxes)}`);
  for (const button of document.querySelectorAll("[data-threshold]")) {
    button.setAttribute("aria-pressed", String(DATA.thresholds[button.dataset.threshold] === choice.conf));
  }
  showScores(bars);
}

function showScores(bars) {
  const most = Math.max(...bars, 1), from = ((choice.conf - LOWEST) / (1 - LOWEST || 1)) * BARS;
  byId("scores").replaceChildren(draw("svg", { viewBox: `0 0 ${BARS} 20`, preserveAspectRatio: "none" },
    ...bars.map((n, at) => draw("rect", { class: at + 1 > from ? "stays" : "gone", x: at + 0.1, width: 0.8,
      y: 20 - (20 * n) / most, height: (20 * n) / most }))));
}

// ---- one picture

// Pixels of the picture that are one of the screen, where it is shown in so much room.
const zoom = ({ large: [, width, height] }, [across, down]) => Math.max(width / across, height / down);

// `size`: of the words, in pixels of the picture.
function overlay(one, size) {
  const corners = one.large[3], width = one.large[1], groups = [];
  for (let at = 0; at < one.boxes.length / 2; at += 1) {
    const [name, colour, ink] = DATA.classes[one.boxes[2 * at]], [x0, y0, x1, y1] = corners.slice(4 * at, 4 * at + 4);
    const place = { x: x0, y: y0, width: Math.max(0, x1 - x0), height: Math.max(0, y1 - y0) };
    const short = name.length > 24 ? `${name.slice(0, 23)}…` : name, score = scoreSaid(one.boxes[2 * at + 1]);
    const reach = size * [...`${short} ${score}`].reduce((sum, letter) => sum + (letter >= "\u1100" ? 1 : 0.6), 0);
    groups.unshift(draw("g", { "data-box": at, style: `--colour: ${colour}; --ink: ${ink}` },  // the surest on top
      draw("title", {}, `${name} ${score}`), draw("rect", { class: "under", ...place }), draw("rect", { class: "box", ...place }),
      draw("text", { x: Math.max(0, Math.min(x0, width - reach)) + size / 6, y: y0 > size * 1.2 ? y0 - size * 0.28 : y0 + size,
        "font-size": size, "stroke-width": size / 2.6 }, draw("tspan", { class: "name" }, `${short} `), score)));
  }
  return groups;
}

function drawing(one, room, letters) {
  const [src, width, height] = one.large;
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": one.name },
    draw("image", { href: src, width, height, preserveAspectRatio: "none" }), draw("g", { class: "boxes" }, ...overlay(one, letters * zoom(one, room))));
  markBoxes(one, svg);
  return svg;
}

function markBoxes(one, svg) {
  for (const group of svg.querySelectorAll("[data-box]")) {
    const at = 2 * group.dataset.box, kind = kindOf(one.boxes[at], one.boxes[at + 1]);
    if (group.getAttribute("class") !== kind) group.setAttribute("class", kind);
  }
}

function tally(one) {
  const gone = one.gone ? make("span", { class: "gone" }, said("vanished", { n: number(one.gone) })) : null;
  return make("span", { class: "tally number" }, make("span", {}, boxesSaid(one.stay)), gone);
}

function figureOf(one) {
  if (!one.figure) {
    const button = make("button", { type: "button", class: "picture", title: one.name }, drawing(one, isNarrow() ? [170, 128] : [250, 188], isNarrow() ? 9 : 10));
    const note = one.note ? make("span", { class: "muted note" }, one.note) : null;
    one.figure = make("figure", { "data-place": one.place }, button,
      make("figcaption", {}, make("span", { class: "file" }, ...fileName(one.name)), tally(one), note));
    button.addEventListener("click", () => enlarge(one));
  }
  return one.figure;
}

function refresh(one) {
  markBoxes(one, one.figure.querySelector("svg"));
  one.figure.querySelector(".tally").replaceWith(tally(one));
}

function rowOf(one) {
  const name = one.drawn ? make("a", { href: `${DATA.folders[0]}/${one.file}` }, one.name) : one.name;
  return make("tr", { "data-place": one.place }, make("th", { scope: "row" }, name),
    ...[number(one.stay), number(one.gone), scoreSaid(one.surest)].map((text) => make("td", {}, text)));
}

// ---- a picture enlarged

function enlarge(one) {
  const around = lists.gallery.all, at = around.indexOf(one);
  const step = (by, key) => {
    const button = make("button", { type: "button", class: "button small" }, SAY[key]);
    button.disabled = !around[at + by];
    button.addEventListener("click", () => go(by));
    return button;
  };
  const go = (by) => {
    if (!around[at + by]) return;
    dialog.close();
    dialog.remove();  // its event comes later
    enlarge(around[at + by]);
  };
  const dialog = openDialog(one.name, SAY.close, drawing(one, [Math.min(900, 0.9 * innerWidth), 0.72 * innerHeight], 14),
    make("div", { class: "about" }, tally(one), make("span", { class: "steps" }, step(-1, "previous"), step(1, "next"))),
    one.note ? make("p", { class: "muted small" }, one.note) : null, drawnOf(one), originalOf(one));
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") go(-1);
    if (event.key === "ArrowRight") go(1);
  });
}

function link(href, text) {
  return make("a", { href, target: "_blank", rel: "noopener" }, text);
}

function drawnOf(one) {
  const links = DATA.thresholds.slice(0, one.drawn).flatMap((at, place) => [" ", link(`${DATA.folders[place]}/${one.file}`, confSaid(at))]);
  return links.length ? make("p", { class: "small" }, SAY.drawn, ...links) : null;
}

function originalOf(one) {
  const [, , , , path, href] = one.large;
  return make("p", { class: "small original" }, `${SAY.original} `, href === null ? path : link(href, path));
}

// ---- which pictures, in which order

const lists = {
  gallery: { all: [], shown: FIGURES, step: FIGURES, part: byId("gallery"), inside: "#gallery .pictures", build: figureOf },
  others: { all: [], shown: ROWS, step: ROWS, part: byId("others"), inside: "#others tbody", build: rowOf },
};
const collator = new Intl.Collator(document.documentElement.lang, { numeric: true });
const ORDERS = {
  vanishing: (a, b) => b.vanishing - a.vanishing || b.stay + b.gone - a.stay - a.gone,
  boxes: (a, b) => b.stay - a.stay,
  surest: (a, b) => b.surest - a.surest,
  name: (a, b) => collator.compare(a.name, b.name),
};

function arrange() {
  const query = plain(choice.query.trim()), order = ORDERS[choice.sort];
  const found = pictures.filter((one) => one.plain.includes(query)).sort((a, b) => order(a, b) || a.place - b.place);
  lists.gallery.all = found.filter((one) => one.large);
  lists.others.all = found.filter((one) => !one.large);
  byId("matches").textContent = query ? said("matches", { n: number(found.length), all: number(pictures.length) }) : "";
  for (const list of Object.values(lists)) show(list);
}

function show(list) {
  if (!list.part) return;
  const shown = list.all.slice(0, list.shown), left = list.all.length - shown.length, more = list.part.querySelector(".more");
  document.querySelector(list.inside).replaceChildren(...shown.map(list.build));
  more.textContent = said("more", { n: number(left) });
  more.hidden = left === 0;
  if (list === lists.gallery) shown.forEach(refresh);
}

// Counts at once; pictures before they are next painted.
let asked = 0;
function update({ again = false } = {}) {
  showCounts(count());
  cancelAnimationFrame(asked);
  asked = 0;
  if (again) {
    arrange();
  } else {
    asked = requestAnimationFrame(() => {
      lists.gallery.all.slice(0, lists.gallery.shown).forEach(refresh);
      if (lists.others.part) show(lists.others);
    });
  }
}

// ---- what is chosen

// Exactly a threshold asked for, or to three digits, so that what is counted is what is read.
function setConfidence(value, { again = true } = {}) {
  const exact = DATA.thresholds.includes(value) ? value : Math.round(value * 1000) / 1000;
  choice.conf = Math.min(1, Math.max(LOWEST, exact));
  byId("conf").value = choice.conf;
  update({ again });
}

function keyed(key) {
  const stops = [...DATA.thresholds, 1];
  const moves = {
    ArrowLeft: () => choice.conf - STEP, ArrowDown: () => choice.conf - STEP,
    ArrowRight: () => choice.conf + STEP, ArrowUp: () => choice.conf + STEP,
    PageDown: () => stops.findLast((stop) => stop < choice.conf) ?? LOWEST,
    PageUp: () => stops.find((stop) => stop > choice.conf) ?? 1,
    Home: () => LOWEST, End: () => 1,
  };
  return moves[key]?.();
}

function startSlider(slider) {
  const marks = DATA.thresholds.map((at) => make("i", { style: `left: ${(100 * (at - LOWEST)) / (1 - LOWEST || 1)}%` }));
  slider.before(make("div", { class: "stops", "aria-hidden": "true" }, ...marks));
  slider.addEventListener("input", () => setConfidence(slider.valueAsNumber, { again: false }));
  slider.addEventListener("change", () => arrange());
  slider.addEventListener("keydown", (event) => {
    const value = event.altKey || event.ctrlKey || event.metaKey ? undefined : keyed(event.key);
    if (value === undefined) return;
    event.preventDefault();
    setConfidence(value);
  });
  for (const button of document.querySelectorAll("[data-threshold]")) {
    button.addEventListener("click", () => setConfidence(DATA.thresholds[button.dataset.threshold]));
  }
}

function startClasses(place) {
  const boxes = DATA.classes.map(([name, colour], label) => {
    const box = make("input", { type: "checkbox", autocomplete: "off" });
    box.checked = true;
    box.addEventListener("change", () => {
      wanted[label] = box.checked;
      update({ again: true });
    });
    place.append(make("label", { title: name }, box, make("i", { style: `background: ${colour}` }), make("span", { class: "name" }, name),
      make("span", { class: "count number muted" })));
    return box;
  });
  for (const button of document.querySelectorAll("[data-classes]")) {
    button.addEventListener("click", () => {
      wanted.fill(button.dataset.classes === "all");
      for (const box of boxes) box.checked = button.dataset.classes === "all";
      update({ again: true });
    });
  }
}

function startFilters() {
  const restart = () => {
    for (const list of Object.values(lists)) list.shown = list.step;
    arrange();
  };
  byId("search").addEventListener("input", (event) => {
    choice.query = event.target.value;
    restart();
  });
  byId("sort").addEventListener("change", (event) => {
    choice.sort = event.target.value;
    restart();
  });
  byId("marks").addEventListener("change", (event) => {
    choice.marks = event.target.checked;
    update();
  });
  for (const list of Object.values(lists)) {
    list.part?.querySelector(".more").addEventListener("click", () => {
      list.shown += list.step;
      show(list);
    });
  }
}

if (byId("conf")) {
  startSlider(byId("conf"));
  if (byId("classes")) startClasses(byId("classes"));
  startFilters();
  setConfidence(LOWEST);
}
