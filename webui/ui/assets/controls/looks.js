// Looks: several, in the order in which they were chosen. The button names them; what it opens has a box for each.

import { on } from "../core/bus.js";
import { el, fill } from "../core/dom.js";
import { given } from "../core/given.js";
import { t } from "../core/language.js";
import { fillPart } from "../core/places.js";
import { lookName, shownValue } from "../form/shown_value.js";
import { form } from "../form/store.js";
import { popover } from "../parts/popover.js";

const WIDTH = 260; // px

fillPart("looks", (element) => {
  const button = element.querySelector("button");
  const box = element.querySelector(".pop");
  box.setAttribute("role", "dialog");
  box.setAttribute("aria-label", t("looks"));

  const boxes = new Map(Object.keys(given.looks).map((id) => {
    const input = el("input", { type: "checkbox", value: id, onchange: () => choose(id, input.checked) });
    return [id, input];
  }));
  fill(box, el("div", { class: "looks-list" }, ...[...boxes].map(([id, input]) => el("label", {}, input, el("span", { text: lookName(id) })))),
    el("button", { type: "button", class: "link", text: t("looks_none"), onclick: () => form.set({ looks: [] }) }));

  function choose(id, isChosen) {
    const others = form.values.looks.filter((one) => one !== id);
    form.set({ looks: isChosen ? [...others, id] : others }, "person");
  }

  function draw() {
    const { looks } = form.values;
    const text = looks.length ? shownValue("looks", looks) : t("looks");
    fill(button, el("span", { class: "looks-chosen", text }), el("span", { class: "caret", "aria-hidden": "true", text: "▾" }));
    button.title = looks.length ? text : "";
    button.setAttribute("aria-label", looks.length ? `${t("looks")}: ${text}` : t("looks"));
    element.dataset.chosen = looks.length ? "yes" : "";
    for (const [id, input] of boxes) {
      input.checked = looks.includes(id);
      input.disabled = !input.checked && looks.length >= given.most_looks;
    }
  }

  popover(button, box, "looks", WIDTH, () => {
    boxes.get(form.values.looks[0] ?? [...boxes.keys()][0])?.focus();
  });
  on("values", draw);
  draw();
});
