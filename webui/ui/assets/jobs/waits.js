// Prompts that wait for a model, kept in this browser: what the form said when somebody pressed *Get and use*. They are
// this form's and this person's: they survive a reload and a restart of the program, and in private mode nothing of them
// is kept.

import { kept } from "../core/kept.js";
import { newKey } from "./outbox.js";

const WAITS = "waits"; // [{key, download, bundle, task, values, untouched, hasPrompt, chosen}]; main.js looks for it

/** In the order in which they were asked for; read each time, as other tabs add theirs. */
export const waits = () => [kept.get(WAITS, [])].flat().filter((one) => one?.download);

/** `download` is the id of one that brings `bundle`; `now` is what the form said, {task, values, untouched}. The same a
 * second time is the first again. */
export function addWait(download, bundle, { task, values, untouched }) {
  const isForPicture = task === "image_to_image" && Boolean(values.init_image);
  const hasPrompt = Boolean(values.prompt?.trim()) && (isForPicture || task === "text_to_image" && !bundle.edits);
  const { name, settings, prompt_suffix, id } = bundle;
  const one = { key: newKey(), download, bundle: { id, name, settings, prompt_suffix }, task, values, untouched: [...untouched], hasPrompt, chosen: values.checkpoint };
  const others = waits();
  if (!others.some((other) => isSameWish(other, one))) kept.set(WAITS, [...others, one]);
}

const isSameWish = (one, other) => ["download", "task", "values"].every((name) => JSON.stringify(one[name]) === JSON.stringify(other[name]));

export function dropWait(one) {
  kept.set(WAITS, waits().filter(({ key }) => key !== one.key));
}

/** `checkpoint` was chosen for `one`: what was asked for after it takes its place when it comes, as nobody has chosen
 * otherwise. */
export function laterOnesFollow(one, checkpoint) {
  const all = waits();
  const at = all.findIndex(({ key }) => key === one.key);
  kept.set(WAITS, all.map((other, i) => (i > at && other.chosen === one.chosen ? { ...other, chosen: checkpoint } : other)));
}
