// What lies behind the cells of confusion matrices: a number that is pressed opens a panel below its matrix.
"use strict";

// cells[split]["row,column"]: items, entry(item): what an item's place in the list holds; say: words of the page.
function openCells(cells, say, entry) {
  function open(button) {
    const { split, cell } = button.dataset, items = cells[split][cell] || [];
    const panel = document.getElementById(`crops-${split}`);
    const opener = document.querySelector(`td button[data-split="${split}"][data-cell="${cell}"]`);
    for (const other of document.querySelectorAll(`td button[data-split="${split}"]`)) other.removeAttribute("aria-pressed");
    opener.setAttribute("aria-pressed", "true");
    const close = make("button", { type: "button", class: "button small" }, say.close);
    close.addEventListener("click", () => {
      panel.hidden = true;
      opener.removeAttribute("aria-pressed");
      button.focus();
    });
    const all = Number(opener.textContent.replace(/\D/g, ""));
    const some = items.length < all
      ? [make("p", { class: "muted small" }, filled(say.crops_of, { shown: number(items.length), all: number(all) }))] : [];
    panel.replaceChildren(
      make("div", { class: "panel-head" }, make("h3", {}, opener.getAttribute("aria-label")), close), ...some,
      make("ol", { class: "crops" }, ...items.map((item) => make("li", {}, ...entry(item)))));
    panel.hidden = false;
    panel.focus({ preventScroll: true });
    panel.scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-cell]");
    if (button) open(button);
  });
}
