// Every prompt that was submitted, kept in this browser: by arrow keys at the edges of the prompt box, and as a list.

import { on } from "../core/bus.js";
import { kept } from "../core/kept.js";
import { t } from "../core/language.js";
import { note } from "../core/note.js";
import { undoTo } from "../form/undo.js";
import { fieldOf, typeAll } from "../gradio/boxes.js";
import { lineTop } from "./lines.js";

const HISTORY = "prompt_history";
const HISTORY_LENGTH = 100;

export const past = () => kept.get(HISTORY, []).filter((one) => typeof one === "string");
let browsing = null; // while the arrow keys go through the past: the prompts, where we are, the draft, and the cursor

on("submitting", ({ task, prompt: asked }) => {
  browsing = null;
  const prompt = (asked ?? "").trim();
  const prompts = past();
  if (task === "style_transfer" || !prompt || prompts.at(-1) === prompt) return;
  kept.set(HISTORY, [...prompts, prompt].slice(-HISTORY_LENGTH));
});

document.addEventListener("keydown", (event) => {
  const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const box = event.target;
  if (!by || fieldOf(box) !== "prompt" || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.isComposing) return;
  if (browsing && browsing.text !== box.value) browsing = null; // it was changed since, and is a draft of its own
  if (box.selectionStart !== box.selectionEnd || !(isBrowsing(box) || isAtEdge(box, by)) || !browseBy(box, by)) return;
  event.preventDefault();
});

const isBrowsing = (box) => browsing !== null && browsing.cursor === box.selectionStart;

/** One prompt further into the past or back; false where there is none. */
function browseBy(box, by) {
  if (!browsing) {
    const prompts = past();
    while (prompts.length && prompts.at(-1) === box.value.trim()) prompts.pop();
    if (by > 0 || !prompts.length) return false;
    browsing = { prompts, at: prompts.length, draft: box.value };
    if (box.value.trim()) note(t("history_walk"), undoTo({ prompt: box.value }));
  }
  const at = browsing.at + by;
  if (at < 0 || at > browsing.prompts.length) return false;
  const isBack = at === browsing.prompts.length;
  typeAll(box, isBack ? browsing.draft : browsing.prompts[at]);
  box.setSelectionRange(box.value.length, box.value.length);
  box.scrollTop = box.scrollHeight;
  browsing = isBack ? null : { ...browsing, at, text: box.value, cursor: box.selectionStart };
  return true;
}

/** Whether the cursor stands on the first line (`by` < 0) or the last, as the text is wrapped. */
function isAtEdge(box, by) {
  const at = box.selectionStart;
  return by < 0 ? lineTop(box, at) <= lineTop(box, 0) : lineTop(box, at) >= lineTop(box, box.value.length);
}

export function clearHistory() {
  const before = kept.get(HISTORY, []);
  browsing = null;
  kept.set(HISTORY, []);
  note(t("history_cleared"), { text: t("undo"), run: () => kept.set(HISTORY, [...before, ...past()].slice(-HISTORY_LENGTH)) });
}
