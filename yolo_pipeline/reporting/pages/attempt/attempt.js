// The page of one attempt: plots, crops behind the cells of a matrix, the gallery and its confidence.
"use strict";

const DATA = JSON.parse(document.getElementById("data").textContent);
const SAY = DATA.say;
const BATCH = 12;  // pictures of a gallery that are added at a time

// ---- plots

for (const plot of DATA.plots) plotLines(plot.id, plot.traces, plot.options);

// ---- crops: behind a cell of a matrix, and of suspects

const rectangle = (kind, [x, y, width, height]) => draw("rect", { class: `box ${kind}`, x, y, width, height });

function cropOf(item) {
  const right = item.there.length === 1 && item.said.length === 1 && item.there[0][0] === item.said[0][0];
  const picture = item.crop === null ? draw("rect", { class: "gone", width: 100, height: 100 })
    : draw("image", { href: DATA.crops[item.crop], width: 100, height: 100 });
  return draw("svg", { viewBox: "0 0 100 100", role: "img", "aria-label": item.image }, picture,
    ...item.there.map(([, ...box]) => rectangle(item.said.length ? "truth" : "missed", box)),
    ...item.said.map(([, x, y, width, height]) => rectangle(right ? "hit" : "false", [x, y, width, height])));
}

function aboutCrop(item) {
  const lines = [];
  if (item.there.length) lines.push(`${SAY.there}: ${item.there.map(([name]) => name).join(", ")}`);
  if (item.said.length) lines.push(`${SAY.said}: ${item.said.map((box) => `${box[0]} ${box[5].toFixed(2)}`).join(", ")}`);
  return make("div", { class: "about" }, ...lines.map((line) => make("span", {}, line)),
    make("span", { class: "muted file" }, ...fileName(item.image)));
}

openCells(DATA.cells, SAY, (item) => [cropOf(item), aboutCrop(item)]);

for (const place of document.querySelectorAll("[data-suspect]")) place.prepend(cropOf(DATA.suspects[place.dataset.suspect]));

// ---- the gallery

const TRUTH = 5, BOX = 7;  // numbers of an object and of a box, as boxes.py writes them
let conf = Object.values(DATA.splits)[0]?.conf ?? 0;

// Objects and boxes of one image at the confidence, each with what it is.
function partsOf(split, image) {
  const { names, truths, boxes } = DATA.splits[split], found = new Set(), parts = [];
  for (let at = 0; at < boxes[image].length; at += BOX) {
    const [label, x0, y0, x1, y1, score, truth] = boxes[image].slice(at, at + BOX);
    if (score < conf) break;  // the best come first
    if (truth >= 0) found.add(truth);
    parts.push({ kind: truth >= 0 ? "hit" : "false", name: names[label], x0, y0, x1, y1, score });
  }
  for (let at = 0; at < truths[image].length; at += TRUTH) {
    const [label, x0, y0, x1, y1] = truths[image].slice(at, at + TRUTH);
    parts.unshift({ kind: found.has(at / TRUTH) ? "truth" : "missed", name: names[label], x0, y0, x1, y1, score: null });
  }
  return parts;
}

function overlay(parts, width, height) {
  const size = Math.max(width, height) / 24;
  return parts.map((part) => {
    const box = { x: part.x0, y: part.y0, width: Math.max(0, part.x1 - part.x0), height: Math.max(0, part.y1 - part.y0) };
    const shape = draw("rect", { class: `box ${part.kind}`, ...box });
    if (part.kind === "truth") return shape;
    const above = part.y0 > size * 1.2, label = part.score === null ? part.name : `${part.name} ${part.score.toFixed(2)}`;
    const text = draw("text", { class: part.kind, x: Math.max(part.x0, 0), y: above ? part.y0 - size * 0.25 : part.y0 + size,
      "font-size": size, "stroke-width": size / 5 }, label);
    return draw("g", {}, shape, text);
  });
}

function pictureOf(split, image) {
  const [name, width, height] = DATA.splits[split].images[image], src = DATA.splits[split].src[image];
  const picture = src ? draw("image", { href: src, width, height, preserveAspectRatio: "none" })
    : draw("rect", { class: "gone", width, height });
  return draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": name }, picture, draw("g", { class: "boxes" }));
}

function redraw(figure) {
  const { split, image } = figure.dataset, [, width, height] = DATA.splits[split].images[image];
  const parts = partsOf(split, image);
  figure.querySelector(".boxes").replaceChildren(...overlay(parts, width, height));
  const count = (kind) => parts.filter((part) => part.kind === kind).length;
  const words = [["hit", "n_found", "found"], ["missed", "n_missed", "missed"], ["false", "n_false", "false"]].filter(([kind]) => count(kind));
  figure.querySelector(".tally").replaceChildren(
    ...words.map(([kind, key, colour]) => make("span", { class: colour }, `${count(kind)} ${SAY[key]}`)));
}

function figureOf(split, image) {
  const name = DATA.splits[split].images[image][0];
  const note = DATA.splits[split].src[image] ? null : make("span", { class: "muted" }, SAY.no_picture);
  const button = make("button", { type: "button", class: "picture", title: name }, pictureOf(split, image));
  const figure = make("figure", { "data-split": split, "data-image": image }, button,
    make("figcaption", {}, make("span", { class: "file" }, ...fileName(name)), make("span", { class: "tally number" }), note));
  button.addEventListener("click", () => enlarge(split, image));
  redraw(figure);
  return figure;
}

function startGallery(place) {
  const split = place.dataset.gallery, { order } = DATA.splits[split], grid = make("div", { class: "pictures" });
  const more = make("button", { type: "button", class: "button" });
  let shown = 0;
  const add = () => {
    grid.append(...order.slice(shown, shown + BATCH).map((image) => figureOf(split, image)));
    shown = Math.min(shown + BATCH, order.length);
    more.textContent = filled(SAY.more, { n: number(order.length - shown) });
    more.hidden = shown >= order.length;
  };
  more.addEventListener("click", add);
  place.append(grid, more);
  add();
}

function enlarge(split, image) {
  const [name, width, height] = DATA.splits[split].images[image], picture = pictureOf(split, image);
  picture.querySelector(".boxes").append(...overlay(partsOf(split, image), width, height));
  openDialog(name, SAY.close, picture);
}

// ---- one confidence for all of it

const scores = {};  // split -> scores of all boxes and of those that found an object, ascending
for (const [split, { boxes }] of Object.entries(DATA.splits)) {
  const all = [], hits = [];
  for (const flat of boxes) {
    for (let at = 0; at < flat.length; at += BOX) {
      all.push(flat[at + 5]);
      if (flat[at + 6] >= 0) hits.push(flat[at + 5]);
    }
  }
  scores[split] = { all: Float64Array.from(all).sort(), hits: Float64Array.from(hits).sort(),
    truths: DATA.splits[split].truths.reduce((sum, flat) => sum + flat.length / TRUTH, 0) };
}

function atLeast(sorted, least) {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < least) low = middle + 1; else high = middle;
  }
  return sorted.length - low;
}

function count() {
  for (const place of document.querySelectorAll("[data-counts]")) {
    const { all, hits, truths } = scores[place.dataset.counts], boxes = atLeast(all, conf), found = atLeast(hits, conf);
    const counts = { boxes, found, missed: truths - found, false: boxes - found };
    for (const [key, value] of Object.entries(counts)) place.querySelector(`[data-count="${key}"]`).textContent = number(value);
  }
  document.getElementById("conf-value").textContent = conf.toFixed(3);
}

let asked = 0;
function setConfidence(value) {
  conf = value;
  count();
  cancelAnimationFrame(asked);
  asked = requestAnimationFrame(() => {
    for (const figure of document.querySelectorAll(".gallery figure")) redraw(figure);
  });
}

const slider = document.getElementById("conf");
if (slider) {
  const first = conf;
  slider.addEventListener("input", () => setConfidence(slider.valueAsNumber));
  document.getElementById("conf-reset").addEventListener("click", () => {
    slider.value = first;
    setConfidence(first);
  });
  for (const place of document.querySelectorAll("[data-gallery]")) startGallery(place);
}
