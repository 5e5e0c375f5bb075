// The stage before the first picture: examples that the checkpoint brings along, one click each.

import { emit } from "../core/bus.js";
import { el, fill } from "../core/dom.js";
import { given } from "../core/given.js";
import { localized, t } from "../core/language.js";
import { form } from "../form/store.js";
import { stage } from "./state.js";

const SHOWN = 6;

export function drawEmpty() {
  const box = stage.parts.empty;
  const tiles = given.examples[form.values.checkpoint] ?? [];
  const shown = (tiles.length ? tiles : given.surprises).slice(0, SHOWN);
  const key = `${form.values.checkpoint}/${shown.length}`;
  if (box.dataset.key === key && box.childElementCount) return;
  box.dataset.key = key;
  fill(
    box,
    el("h2", { text: t("empty_title") }),
    el("p", { text: t("empty_text") }),
    el("div", { class: "tiles" }, ...shown.map(exampleTile)),
  );
}

function exampleTile(example) {
  const prompt = localized(example, "prompt");
  const tile = el("button", { type: "button", class: "tile" }, el("span", { class: "tile-text", text: prompt }));
  if (example.url) tile.style.backgroundImage = `url("${example.url}")`;
  tile.dataset.picture = example.url ? "yes" : "";
  tile.addEventListener("click", () => {
    form.setTask("text_to_image");
    const before = form.values.seed;
    form.set({ prompt, looks: [], seed: example.seed ?? null });
    emit("generate");
    form.set({ seed: before }); // the example's seed is for this one picture
  });
  return tile;
}
