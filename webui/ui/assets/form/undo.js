// Whatever replaces a whole prompt (a surprise, an example, the history, settings of a picture) can be taken back: by the
// browser's own Undo, as it is typed, and by a note with an Undo.

import { on } from "../core/bus.js";
import { t } from "../core/language.js";
import { note } from "../core/note.js";
import { PROMPTS } from "./fields.js";
import { form } from "./store.js";

let isUndoing = false;
let offer; // what takes the latest replacement back

/** An action for `note` that sets `before` (values by name) again. */
export function undoTo(before) {
  const run = () => {
    isUndoing = true;
    form.set(before);
    isUndoing = false;
  };
  return { text: t("undo"), run };
}

/** What takes the latest replacement back, for a note that says more about it; undefined where no text was replaced. */
export const undoOffer = () => offer;

on("values", ({ before, changed, by }) => {
  if (by === "person") return;
  offer = undefined;
  const replaced = PROMPTS.filter((field) => changed.includes(field) && (before[field] ?? "").trim());
  if (isUndoing || !replaced.length) return;
  offer = undoTo(Object.fromEntries(changed.map((name) => [name, before[name]])));
  note(t("text_replaced"), offer);
});
