// Ctrl+Up and Ctrl+Down in the prompt boxes change weights.

import { isMac } from "../core/dom.js";
import { form } from "../form/store.js";
import { fieldOf, typeOver } from "../gradio/boxes.js";
import { weighA1111, weighCompel } from "./weights.js";

document.documentElement.classList.toggle("mac", isMac); // its keys are drawn beside Generate, and named in the tip

document.addEventListener("keydown", (event) => {
  const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
  const box = event.target;
  if (!by || !fieldOf(box) || event.ctrlKey === event.metaKey || event.shiftKey || event.altKey || event.isComposing) return;
  event.preventDefault();
  const weigh = form.values.prompt_dialect === "compel" ? weighCompel : weighA1111;
  const change = weigh(box.value, box.selectionStart, box.selectionEnd, by);
  if (!change) return;
  typeOver(box, change.from, change.to, change.text);
  box.setSelectionRange(change.start, change.end);
});

