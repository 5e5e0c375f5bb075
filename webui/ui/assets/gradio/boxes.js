// Gradio's elements: the only place that knows how its controls look inside. Others ask here by a field's name.

import { emit } from "../core/bus.js";
import { byId, isTouched } from "../core/dom.js";
import { PROMPTS } from "../form/fields.js";

/** The element around the control, the row or the button of that name; null while Gradio has not drawn it. */
export const nodeOf = (name) => byId(name);

/** The box that a text is written into. */
export const promptBox = (field) => nodeOf(field)?.querySelector("textarea") ?? null;

/** Which prompt is written into `node`, or undefined. */
export const fieldOf = (node) => PROMPTS.find((field) => node && node === promptBox(field));

/** What takes the focus of a control. */
const inputOf = (name) => nodeOf(name)?.querySelector("input, textarea, select, button") ?? null;

export const inputsOf = (name) => [...(nodeOf(name)?.querySelectorAll("input, textarea, select") ?? [])];

export const isWithin = (node, name) => Boolean(nodeOf(name)?.contains(node));

/** Brings a control into sight and gives it the focus. */
export function focusField(name) {
  emit("reveal", name);
  requestAnimationFrame(() => {
    const target = inputOf(name);
    target?.scrollIntoView({ block: "center" });
    target?.focus();
  });
}

/** Greys a button out, or no longer. */
export function setDisabled(name, isDisabled) {
  nodeOf(name)?.toggleAttribute("disabled", isDisabled);
}

/** A finger's keyboard would come up with the focus; then the text is set without it, and there is no Ctrl+Z to serve. */
const mayFocus = (box) => Boolean(box.offsetParent) && (box === document.activeElement || !isTouched());

/** `text` in the place of the characters [start, end) of `box`, as if it were typed there. Focus stays where it is. */
export function typeOver(box, start, end, text) {
  if (box.value.slice(start, end) === text) return;
  const focused = document.activeElement;
  let isTyped = false;
  if (mayFocus(box)) {
    box.focus({ preventScroll: true });
    box.setSelectionRange(start, end);
    isTyped = document.execCommand(text ? "insertText" : "delete", false, text);
    if (focused === document.body) box.blur();
    else if (focused !== box) focused?.focus?.({ preventScroll: true });
  }
  if (!isTyped) {
    box.setRangeText(text, start, end, "end");
    box.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertReplacementText" }));
  }
}

export const typeAll = (box, text) => typeOver(box, 0, box.value.length, text);
