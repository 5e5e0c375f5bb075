// The defaults of a checkpoint, edited and kept in the small file beside it.

import { api } from "../core/api.js";
import { el } from "../core/dom.js";
import { language, t } from "../core/language.js";
import { note } from "../core/note.js";
import { askForCheckpoints } from "../form/checkpoints.js";
import { fields } from "../form/fields.js";
import { shownValue } from "../form/shown_value.js";
import { addressOf } from "./changes.js";

const NUMBERS = ["width", "height", "steps", "guidance_scale"];
const WORDS = ["scheduler", "sigmas"];

/** A form with the values as they are; only what was changed is sent. */
export function defaultsForm(model, changed) {
  const inputs = new Map();
  const rows = [...NUMBERS, ...WORDS].map((name) => {
    const input = NUMBERS.includes(name) ? numberOf(name, model) : wordOf(name, model);
    inputs.set(name, input);
    return el("label", {}, el("span", { text: t(name) }), input);
  });
  const said = el("p", { class: "model-said", role: "alert", hidden: true });
  return el("form", { class: "model-defaults", lang: language, onsubmit: (event) => { event.preventDefault(); void save(model, inputs, said, changed); } },
    el("h4", { text: t("model_defaults") }), ...rows, said,
    el("button", { type: "submit", class: "plain", text: t("model_defaults_save") }));
}

function numberOf(name, model) {
  const { minimum: min, maximum: max, step } = fields[name].limits;
  return el("input", { type: "number", "aria-label": t(name), min, max, step: step ?? "any", value: String(model.defaults[name]), required: true, inputmode: "decimal" });
}

function wordOf(name, model) {
  return el("select", { "aria-label": t(name) }, ...fields[name].words.map((value) => el("option", { value, text: shownValue(name, value), selected: value === model.defaults[name] })));
}

async function save(model, inputs, said, changed) {
  const wanted = [...inputs].map(([name, { value }]) => [name, NUMBERS.includes(name) ? Number(value) : value]);
  const defaults = Object.fromEntries(wanted.filter(([name, value]) => value !== model.defaults[name]));
  said.hidden = true;
  if (!Object.keys(defaults).length) return note(t("model_defaults_same"));
  try {
    await api("PATCH", addressOf(model.id), { defaults });
    await askForCheckpoints();
    await changed(model.id);
    note(t("model_defaults_saved"));
  } catch (error) {
    said.textContent = error.told ?? String(error);
    said.hidden = false;
  }
}
