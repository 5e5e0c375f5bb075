// Using a model: a checkpoint is chosen; LoRAs, embeddings and their words go into the prompt.

import { emit } from "../core/bus.js";
import { t } from "../core/language.js";
import { note } from "../core/note.js";
import { form } from "../form/store.js";
import { setPrompt } from "../form/words_added.js";

/** Whether `use` can do something with it. */
export const canBeUsed = (model) => !model.problem && ["checkpoint", "lora", "embedding"].includes(model.kind);

export function use(model, weight = model.weight ?? 1) {
  if (model.kind === "checkpoint") {
    form.set({ checkpoint: model.id }, "person");
    return emit("close-models");
  }
  if (model.kind === "lora") return addToPrompt(model, `<lora:${model.prompt_name}:${weight}>`, loraOf(model), model.made_for);
  return addToPrompt(model, model.prompt_name);
}

/** Words, behind what the prompt says; `instead` is what they replace, if that stands there. `made` is what a LoRA of few
 * steps was made for. */
export function addToPrompt(model, text, instead = null, made = null) {
  const prompt = form.values.prompt ?? "";
  const has = instead ? instead.test(prompt) : prompt.includes(text);
  if (has && !instead) return note(t("model_in_prompt", { name: text }));
  const end = prompt.trimEnd();
  const between = !end ? "" : /[,，]$/.test(end) || text.startsWith("<") ? " " : ", ";
  setPrompt(has ? prompt.replace(instead, () => text) : end + between + text, t("added_model", { name: model.name }), has ? null : made);
}

/** The LoRA as the prompt may name it already, with whatever weight. */
function loraOf(model) {
  const name = model.prompt_name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`<lora:${name}(?::[^<>]*)?>`, "i");
}
