// Sheets over the whole window: the browser's own modal dialogs. What lies below takes no focus and does not scroll.

import { placeNote } from "./note.js";

const MOST_LAYERS = 4; // of what can be open within one sheet
const sheets = []; // those that are open, the last one on top

/** Shows `dialog`; `leave` is what Escape does, and a phone's way back. */
export function showSheet(dialog, leave) {
  dialog.oncancel = (event) => {
    event.preventDefault();
    leave();
  };
  dialog.onclose = () => { // the browser closed it, which it may, whatever lies open in it
    for (let tries = 0; tries < MOST_LAYERS && sheets.includes(dialog) && !dialog.open; tries += 1) leave();
  };
  dialog.showModal();
  sheets.push(dialog);
  follow();
}

/** Closes it; the focus goes back to where it came from. */
export function hideSheet(dialog) {
  const at = sheets.indexOf(dialog);
  if (at < 0) return;
  sheets.splice(at, 1);
  dialog.close();
  follow();
}

/** Whether no other sheet lies over it. */
export const isOnTop = (dialog) => sheets.at(-1) === dialog;

function follow() {
  placeNote(sheets.at(-1) ?? document.body);
  document.documentElement.classList.toggle("sheet-open", sheets.length > 0);
}
