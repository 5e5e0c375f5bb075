// Words that are added to the prompt, with the settings that a LoRA of few steps was made for: all of it can be undone.

import { note } from "../core/note.js";
import { MADE_FOR, madeForSentence, madeForValues } from "./made_for.js";
import { isAlike } from "./rules.js";
import { form } from "./store.js";
import { undoTo } from "./undo.js";

/** The prompt is `prompt` from now on, and the settings are those of `made`, if there is one. `said` tells of it. */
export function setPrompt(prompt, said, made = null) {
  const before = form.values;
  form.set({ ...(made ? madeForValues(made) : {}), prompt }, "person");
  const changed = Object.keys(before).filter((name) => !isAlike(before[name], form.values[name]));
  const isSet = made && MADE_FOR.some((name) => changed.includes(name));
  note(isSet ? `${said} ${madeForSentence(made)}` : said, undoTo(Object.fromEntries(changed.map((name) => [name, before[name]]))));
}
