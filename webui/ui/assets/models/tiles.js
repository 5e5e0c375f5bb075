// The models as tiles: picture, name, what it is, and one click to use it.

import { el } from "../core/dom.js";
import { t } from "../core/language.js";
import { form } from "../form/store.js";
import { bytes, isConverting, models } from "./state.js";
import { canBeUsed, use } from "./use.js";

/** A tile; `open` shows all about its model. */
export function tileOf(model, open) {
  const isChosen = model.kind === "checkpoint" && model.id === form.values.checkpoint;
  return el("li", { class: "model", data: { id: model.id, chosen: isChosen ? "yes" : "no" } },
    el("button", { type: "button", class: "model-open", "aria-label": labelOf(model), onclick: () => open(model.id) },
      pictureOf(model),
      el("span", { class: "model-name", text: model.name }),
      el("span", { class: "model-facts", text: factsOf(model) }),
      model.problem ? el("span", { class: "model-problem", text: t(problemOf(model)) }) : null),
    isChosen ? el("span", { class: "model-chosen", text: t("model_chosen") }) : canBeUsed(model) ? useButton(model) : null);
}

function problemOf({ fits, problem }) {
  if (isConverting({ problem })) return "model_converting";
  return fits === false ? "model_misfit" : "model_unusable";
}

/** Its own picture, else what the first letters of its name make. */
export function pictureOf(model) {
  const source = model.picture_url ?? model.preview_url;
  const box = el("span", { class: "model-picture", "aria-hidden": "true" });
  const letters = el("span", { class: "model-letters", text: [...model.name].slice(0, 2).join("") });
  if (!source) return box.append(letters), box;
  const image = el("img", { src: source, alt: "", loading: "lazy", decoding: "async" });
  image.addEventListener("error", () => image.replaceWith(letters));
  return box.append(image), box;
}

function useButton(model) {
  const text = t(model.kind === "checkpoint" ? "model_use" : "model_add");
  return el("button", { type: "button", class: "plain model-use", text, "aria-label": `${text}: ${model.name}`, onclick: () => use(model) });
}

const factsOf = (model) => [models.q ? t(`kind_${model.kind}`) : "", model.family_name ?? model.family, bytes(model.size_bytes), model.dtype, model.place].filter(Boolean).join(" · ");

const labelOf = (model) => [model.name, factsOf(model), model.problem?.message].filter(Boolean).join(", ");
