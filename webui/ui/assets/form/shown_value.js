// Values of fields in words.

import { given } from "../core/given.js";
import { localized, t } from "../core/language.js";
import { AUTOMATIC_VAE, checkpoints } from "./checkpoints.js";
import { fields } from "./fields.js";
import { STYLE_LISTS } from "./style_lists.js";

export const lookName = (id) => (given.looks[id] ? localized(given.looks[id], "name") : id);

/** A VAE by its id; null is the checkpoint's own. */
function vaeName(id) {
  if (id === null) return t("vae_own");
  return id === AUTOMATIC_VAE ? t("vae_automatic") : checkpoints.vaes.find((one) => one.id === id)?.name ?? id;
}

/** A value as its control shows it. */
export function shownValue(name, value) {
  const { words, names } = fields[name] ?? {};
  if (words?.length && value === null) return t(`${name}_automatic`);
  if (words?.length) return Object.keys(names).length ? names[value] ?? value : t(`${name}_${value}`);
  if (name === "looks" && Array.isArray(value)) return value.map(lookName).join(t("list_comma"));
  if (name in STYLE_LISTS) return STYLE_LISTS[name](value);
  if (name === "branch_from") return t("branch_at", { step: value.step, total: value.origin.steps ?? "?", seed: value.origin.seed ?? "?" });
  if (name === "walk_to") return value.prompt || String(value.seed);
  if (name === "vae") return vaeName(value);
  if (typeof value === "boolean") return t(value ? "on" : "off");
  if (name === "checkpoint") return checkpoints.get(value)?.name ?? value;
  return String(value);
}
