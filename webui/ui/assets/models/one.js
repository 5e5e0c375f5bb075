// One model: all that is known of it, and what can be done with it.

import { api } from "../core/api.js";
import { el, fill } from "../core/dom.js";
import { t } from "../core/language.js";
import { note, orNote } from "../core/note.js";
import { madeForFact } from "../form/made_for.js";
import { addressOf, deleteModel, renameForm, showInFolder } from "./changes.js";
import { defaultsForm } from "./defaults.js";
import { bytes, mayChange } from "./state.js";
import { pictureOf } from "./tiles.js";
import { addToPrompt, canBeUsed, use } from "./use.js";

const SHORT_HASH = 10; // digits, as A1111 writes it

/** Everything about `model` for the side of the sheet. `changed(id)` loads anew and shows that model, or none. */
export function drawOne(box, model, back, changed) {
  const title = el("h3", { text: model.name, tabindex: "-1" });
  fill(box,
    el("button", { type: "button", class: "plain one-back", text: t("back"), onclick: back }),
    el("div", { class: "model-large" }, pictureOf(model)),
    title,
    model.problem ? el("div", { class: "model-why" }, el("p", { text: model.problem.message }), el("p", { class: "quiet", text: model.problem.hint })) : null,
    canBeUsed(model) ? useRow(model) : null,
    model.trigger_words.length ? wordsOf(model) : null,
    factsOf(model),
    model.defaults && mayChange(model) ? defaultsForm(model, changed) : null,
    mayChange(model) ? actionsOf(model, changed) : null);
  return title;
}

function useRow(model) {
  if (model.kind !== "lora") return el("button", { type: "button", class: "solid", text: t(model.kind === "checkpoint" ? "model_use" : "model_add"), onclick: () => use(model) });
  const weight = el("input", { type: "range", min: 0, max: 2, step: 0.05, value: String(model.weight ?? 1), "aria-label": t("model_weight") });
  const said = el("output", { text: Number(weight.value).toFixed(2) });
  weight.addEventListener("input", () => { said.textContent = Number(weight.value).toFixed(2); });
  return el("div", { class: "model-use-row" },
    el("label", {}, el("span", { text: t("model_weight") }), weight, said),
    el("button", { type: "button", class: "solid", text: t("model_add"), onclick: () => use(model, Number(weight.value)) }));
}

/** Each goes into the prompt by a click. */
function wordsOf(model) {
  return el("div", {}, el("h4", { text: t("model_words") }),
    el("div", { class: "model-words" }, ...model.trigger_words.map((word) =>
      el("button", { type: "button", class: "chip", text: word, title: t("model_word_hint"), onclick: () => addToPrompt(model, word) }))));
}

function factsOf(model) {
  const rows = [
    [t("model_family"), model.family_name ?? model.family],
    [t("model_size"), bytes(model.size_bytes)],
    [t("model_dtype"), model.dtype],
    [t("model_made_for"), model.made_for ? madeForFact(model.made_for) : ""],
    [t("model_license"), model.license ?? t("model_license_unknown")],
    [t("model_path"), model.id],
    [t("model_place"), model.place ? t("model_place_other", { name: model.place }) : ""],
  ];
  const list = el("dl", { class: "model-list" }, ...rows.filter(([, value]) => value).flatMap(([name, value]) => [el("dt", { text: name }), el("dd", { text: value })]));
  list.append(el("dt", { text: t("model_hash") }), hashOf(model));
  return list;
}

/** The hash, or what computes it; that reads all of the file. */
function hashOf(model) {
  const cell = el("dd", { class: "model-hash" });
  const show = (hash) => fill(cell, el("button", { type: "button", class: "link", text: hash.slice(0, SHORT_HASH), title: t("model_hash_copy"), "aria-label": `${t("model_hash_copy")}: ${hash.slice(0, SHORT_HASH)}`, onclick: () => void copy(hash) }));
  if (model.hash) return show(model.hash), cell;
  if (!mayChange(model)) return fill(cell, t("model_hash_unknown")), cell;
  const button = el("button", { type: "button", class: "link", text: t("model_hash_compute") });
  button.addEventListener("click", async () => {
    button.disabled = true;
    button.textContent = t("model_hash_busy");
    const isDone = await orNote(async () => { model.hash = (await api("POST", `${addressOf(model.id)}/hash`)).hash; });
    if (isDone) return show(model.hash), cell.firstElementChild.focus();
    button.disabled = false;
    button.textContent = t("model_hash_compute");
  });
  return cell.append(button), cell;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    note(t("copied"));
  } catch {
    note(text);
  }
}

function actionsOf(model, changed) {
  const place = el("div", { class: "model-actions" });
  const draw = () => {
    const rename = el("button", { type: "button", class: "plain", text: t("model_rename"), onclick: () => {
      const { box, input } = renameForm(model, changed, () => { draw(); place.firstElementChild.focus(); });
      fill(place, box);
      input.focus();
      input.select();
    } });
    fill(place, rename,
      el("button", { type: "button", class: "plain", text: t("model_show"), onclick: () => void showInFolder(model) }),
      el("button", { type: "button", class: "plain", text: t("delete"), onclick: () => void deleteModel(model, changed) }));
  };
  draw();
  return place;
}
