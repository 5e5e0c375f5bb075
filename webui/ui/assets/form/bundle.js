// Using a bundle that has come: its checkpoint with the settings that it was made for, and its LoRA in the prompt.

import { t } from "../core/language.js";
import { note } from "../core/note.js";
import { defaultsOf } from "./checkpoints.js";
import { fields } from "./fields.js";
import { requestOf } from "./request.js";
import { proportionedSize } from "./size.js";
import { form } from "./store.js";
import { undoTo } from "./undo.js";
import { mended } from "./validity.js";

/** What of a form changes; `places` are where it lies, the checkpoint first. The proportions stay as somebody chose them. */
function changesFor({ settings, prompt_suffix: suffix }, places, { values, untouched }) {
  const prompt = values.prompt ?? "";
  const known = Object.fromEntries(Object.entries(settings).filter(([field]) => field in fields));
  const changes = { checkpoint: places[0].replace(/\.safetensors$/, ""), vae: null, ...known, ...proportionedSize(settings, values, untouched) };
  return suffix && !prompt.includes(suffix.trim()) ? { ...changes, prompt: `${prompt.trimEnd()} ${suffix.trim()}`.trim() } : changes;
}

/** The form says so from now on; a note has the way back. */
export function useBundle(bundle, places) {
  const changes = changesFor(bundle, places, form);
  const before = Object.fromEntries([...Object.keys(changes), "ratio", "quality"].map((name) => [name, form.values[name]]));
  form.set(changes, "person");
  note(t("offer_used", { name: bundle.name }), undoTo(before));
}

/** The request that an earlier form would make with it: `values` as they were then, of which `untouched` nobody had set. */
export function requestWith(bundle, places, { task, values, untouched: names }) {
  const untouched = new Set(names);
  const changes = changesFor(bundle, places, { values, untouched });
  const defaults = defaultsOf(changes.checkpoint) ?? {};
  const own = Object.fromEntries(names.filter((name) => name in defaults).map((name) => [name, defaults[name]]));
  const now = { ...values, ...own, ...changes };
  return requestOf({ ...now, ...mended(now, untouched) }, task);
}
