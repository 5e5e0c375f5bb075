// What the sheet knows: the models as the API lists them, and what of them is shown.

import { api } from "../core/api.js";
import { t } from "../core/language.js";
import { form } from "../form/store.js";

/** The kinds in the order in which they are shown. */
export const KINDS = ["checkpoint", "lora", "embedding", "vae", "upscaler", "control", "adapter", "clip", "detector"];

export const models = {
  sheet: null, body: null, one: null, filter: null, close: null, search: null, // elements
  all: [], places: null, // as the API answers
  kind: "checkpoint", q: "",
  opened: null, // the id of the model that is open, or "folders" or "trash"
  redraw: () => {}, // draws the sheet anew
};

/** Asks for everything again. Throws ApiError. */
export async function loadModels() {
  const checkpoint = form.values.checkpoint;
  const query = checkpoint ? `?${new URLSearchParams({ checkpoint })}` : "";
  [models.all, models.places] = await Promise.all([listed(query), api("GET", "/api/model-places")]);
}

/** A checkpoint that is gone fits nothing; the list comes all the same. */
async function listed(query) {
  try {
    return await api("GET", `/api/models${query}`);
  } catch (error) {
    if (!query || error.status === 0) throw error;
    return api("GET", "/api/models");
  }
}

/** An old file that can be read in a moment. */
export const isConverting = ({ problem }) => problem?.kind === "model_converting";

export const modelOf = (id) => models.all.find((model) => model.id === id);

export const mayChange = (model) => models.places.is_operator && !model.read_only;

/** Those of the kind and with the words that are asked for. */
export function shownModels() {
  const words = models.q.toLowerCase().split(/\s+/).filter(Boolean);
  return models.all.filter((model) => {
    const text = [model.id, model.name, model.family_name, model.license, ...model.trigger_words].join(" ").toLowerCase();
    return (words.length > 0 || model.kind === models.kind) && words.every((word) => text.includes(word));
  });
}

/** "6.9 GB", "35 MB" */
export function bytes(count) {
  if (count >= 1e9) return t("gigabytes", { n: (count / 1e9).toFixed(count >= 1e11 ? 0 : 1) });
  return t("megabytes", { n: count >= 1e7 ? Math.round(count / 1e6) : Math.max(0.1, count / 1e6).toFixed(1) });
}
