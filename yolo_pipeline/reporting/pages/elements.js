// What pages with pictures share: elements made of words that may be strangers', and a picture enlarged.
// Words become text nodes and attributes only, never markup.
"use strict";

function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function draw(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) if (value !== null) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null));
  return node;
}

const number = (value) => value.toLocaleString("en");

// A sentence with values in place of its {names}.
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

// A file name that may break after each folder.
function fileName(name) {
  const parts = name.split("/");
  return parts.flatMap((part, at) => (at < parts.length - 1 ? [`${part}/`, make("wbr")] : [part]));
}

// Enlarges what is given until it is closed; gives the dialog back.
function openDialog(title, close, ...children) {
  const button = make("button", { type: "button", class: "button" }, close);
  const dialog = make("dialog", { "aria-label": title }, make("div", { class: "panel-head" }, make("h3", {}, title), button), ...children);
  button.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
