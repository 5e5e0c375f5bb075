// Fields of a style transfer that are lists, as words.

import { given } from "../core/given.js";
import { t } from "../core/language.js";
import { fieldsIn } from "./fields.js";

export const STYLE_LISTS = {
  style_images: (list) => (list ?? []).map((style, at) => `${t("further_style", { n: at + 2 })} ${style.weight}`).join(t("list_comma")),
  layer_weights: (weights) => Object.entries(weights ?? {}).filter(([, weight]) => weight !== 1).map(([name, weight]) => `${name} ${weight}`).join(t("list_comma")),
};

/** What a style transfer gives back to its controls; pictures of before know nothing of some. */
export function styleGivenBack(request) {
  const changes = Object.fromEntries(fieldsIn("style", "styling").map((name) => [name, request[name] ?? given.defaults[name] ?? null]));
  if (Object.values(request.layer_weights ?? {}).every((weight) => weight === 1)) changes.layer_weights = null;
  if (!request.style_images?.length) changes.style_images = null;
  return changes;
}
