// The negative prompt is one closed line while it is empty and nobody is in it. It closes once a click is over, so that
// nothing moves away from under the pointer.

import { on } from "../core/bus.js";
import { form } from "../form/store.js";
import { isWithin } from "../gradio/boxes.js";

let isPressed = false; // the pointer, somewhere

function foldNegative() {
  const isUsed = Boolean(form.values.negative_prompt) || isWithin(document.activeElement, "negative_prompt");
  if (isUsed || !isPressed) document.documentElement.dataset.negative = isUsed ? "open" : "";
}

for (const [event, pressed] of [["pointerdown", true], ["pointerup", false], ["pointercancel", false]]) {
  document.addEventListener(event, () => {
    isPressed = pressed;
    if (!pressed) requestAnimationFrame(foldNegative);
  }, true);
}
document.addEventListener("focusin", foldNegative);
document.addEventListener("focusout", () => queueMicrotask(foldNegative));
on("values", foldNegative);
foldNegative();
