// The page of a classifier: plots, pictures behind the cells of a matrix, at random, wrong ones, and a least probability.
"use strict";

const DATA = JSON.parse(document.getElementById("data").textContent);
const SAY = DATA.say;
const BATCH = 12;  // pictures of a gallery that are added at a time

for (const plot of DATA.plots) plotLines(plot.id, plot.traces, plot.options);

// ---- one answer

function pictureOf(answer) {
  if (answer.picture === null) return make("span", { class: "square gone", role: "img", "aria-label": `${answer.image}: ${SAY.no_picture}` });
  return make("img", { class: "square", src: DATA.pictures[answer.picture], alt: answer.image, decoding: "async" });
}

function pressed(answer) {
  const button = make("button", { type: "button", class: "picture", title: answer.image }, pictureOf(answer));
  button.addEventListener("click", () => openDialog(answer.image, SAY.close, pictureOf(answer), ...inWords(answer)));
  return button;
}

const inShort = (value) => (value >= 0.9995 && value < 1 ? ">0.999" : value.toFixed(value < 0.1 || (value >= 0.995 && value < 1) ? 3 : 2));

// The likeliest classes as bars; the label behind them where it is none of these.
function bars(answer) {
  const rows = [...answer.said, ...(answer.said.some(([, , isLabel]) => isLabel) ? [] : [[answer.label, answer.ofLabel, true]])];
  return make("div", { class: "said number" }, ...rows.flatMap(([name, probability, isLabel], at) => [
    make("span", isLabel ? { class: "label" } : {}, name),
    make("span", { class: `bar ${isLabel ? "label" : at ? "other" : "first"}`, "aria-hidden": "true" },
      make("i", { style: `width:${(100 * probability).toFixed(1)}%` })),
    make("span", {}, inShort(probability)),
  ]));
}

function inWords(answer) {
  return [make("p", { class: "small" }, `${SAY.there}: ${answer.label}`), bars(answer)];
}

function about(answer) {
  const [name, probability] = answer.said[0];
  return make("div", { class: "about" }, make("span", {}, `${SAY.there}: ${answer.label}`),
    make("span", {}, `${SAY.said}: ${name} ${inShort(probability)}`), make("span", { class: "muted file" }, ...fileName(answer.image)));
}

const listed = (places) => places.map((place) => DATA.answers[place]);

// ---- behind the cells, suspects, at random

const cells = Object.fromEntries(Object.entries(DATA.cells).map(([split, mine]) =>
  [split, Object.fromEntries(Object.entries(mine).map(([cell, places]) => [cell, listed(places)]))]));
openCells(cells, SAY, (answer) => [pressed(answer), about(answer)]);

for (const place of document.querySelectorAll("[data-suspect]")) {
  const answer = DATA.answers[DATA.suspects[place.dataset.suspect]];
  place.append(pressed(answer), about(answer));
}

document.getElementById("drawn")?.append(...listed(DATA.drawn).map((answer) => {
  const title = answer.right ? answer.said[0][0] : `${answer.said[0][0]} ${filled(SAY.is, { label: answer.label })}`;
  return make("figure", { class: answer.right ? "right" : "wrong" }, make("figcaption", {}, title), pressed(answer));
}));

// ---- wrong answers, and the least probability

let least = DATA.least;
const galleries = [];

function startGallery(place) {
  const wrong = listed(DATA.wrong[place.dataset.wrong]), grid = make("div", { class: "pictures" });
  const more = make("button", { type: "button", class: "button" }), none = make("p", { class: "nothing" });
  let left = [], shown = 0;
  const add = () => {
    grid.append(...left.slice(shown, shown + BATCH).map(figureOf));
    shown = Math.min(shown + BATCH, left.length);
    more.textContent = filled(SAY.more, { n: number(left.length - shown) });
    more.hidden = shown >= left.length;
  };
  const start = () => {
    const now = wrong.filter((answer) => answer.said[0][1] >= least);  // the surest come first
    if (now.length === left.length && now.length) return;
    left = now;
    shown = 0;
    grid.replaceChildren();
    none.textContent = wrong.length ? SAY.wrong_none_left : SAY.wrong_none;
    none.hidden = left.length > 0;
    add();
  };
  more.addEventListener("click", add);
  place.append(none, grid, more);
  galleries.push(start);
  start();
}

function figureOf(answer) {
  return make("figure", {}, pressed(answer), bars(answer),
    make("figcaption", {}, make("span", { class: "muted file" }, ...fileName(answer.image))));
}

function atLeast(sorted) {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < least) low = middle + 1; else high = middle;
  }
  return sorted.length - low;
}

// As `percent` of tables.py writes it.
function percent(part, whole) {
  if (!whole) return "–";
  const share = 100 * part / whole;
  return `${(share < 9.95 ? share.toFixed(1) : share.toFixed(0)).replace(/\.0$/, "")} %`;
}

function count() {
  for (const place of document.querySelectorAll("[data-counts]")) {
    const { all, right } = DATA.sure[place.dataset.counts], answered = atLeast(all), hits = atLeast(right);
    const counts = { answered, right: hits, wrong: answered - hits };
    for (const [key, value] of Object.entries(counts)) place.querySelector(`[data-count="${key}"]`).textContent = number(value);
    place.querySelector('[data-words="answered"]').textContent =
      filled(SAY.n_answered, { all: number(all.length), share: percent(answered, all.length) });
    place.querySelector('[data-words="right"]').textContent = filled(SAY.n_right, { share: percent(hits, answered) });
  }
  document.getElementById("least-value").textContent = least.toFixed(3);
  markPlot("plot-least", least > 0 ? [{ x: least, text: least.toFixed(3), colour: "--accent" }] : []);
}

let asked = 0;
function setLeast(value) {
  least = value;
  count();
  cancelAnimationFrame(asked);
  asked = requestAnimationFrame(() => galleries.forEach((start) => start()));
}

const slider = document.getElementById("least-range");
if (slider) {
  slider.addEventListener("input", () => setLeast(slider.valueAsNumber));
  document.getElementById("least-reset").addEventListener("click", () => {
    slider.value = DATA.least;
    setLeast(DATA.least);
  });
  for (const place of document.querySelectorAll("[data-wrong]")) startGallery(place);
  count();
}
