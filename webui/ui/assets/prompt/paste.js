// A paste over a whole prompt can be taken back by a note, too.

import { t } from "../core/language.js";
import { note } from "../core/note.js";
import { undoTo } from "../form/undo.js";
import { fieldOf } from "../gradio/boxes.js";

const pasting = { field: "", text: "" }; // a paste over a whole prompt

document.addEventListener("beforeinput", (event) => {
  const field = fieldOf(event.target);
  const box = event.target;
  const isWhole = field && event.inputType === "insertFromPaste" && box.value.trim() && box.selectionStart === 0 && box.selectionEnd === box.value.length;
  Object.assign(pasting, isWhole ? { field, text: box.value } : { field: "", text: "" });
});
document.addEventListener("input", (event) => {
  const { field, text } = pasting;
  if (field && fieldOf(event.target) === field && event.target.value !== text) note(t("text_replaced"), undoTo({ [field]: text }));
  pasting.field = "";
});
