// Sheets over the whole window: the browser's own modal dialogs. What lies below takes no focus and does not scroll.

import { placeNote } from "./note.js";

const sheets = []; // those that are open, the last one on top

/** Shows `dialog`; `leave` is what Escape does, and a phone's way back; `close` closes it with all that is open in it. */
export function showSheet(dialog, leave, close) {
  dialog.oncancel = (event) => {
    event.preventDefault();
    leave();
  };
  dialog.onclose = () => { if (isShown(dialog)) close(); }; // the browser closed it, which it may
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

/** Whether it has been shown and not been hidden since. */
export const isShown = (dialog) => sheets.includes(dialog);

/** Whether no other sheet lies over it. */
export const isOnTop = (dialog) => sheets.at(-1) === dialog;

function follow() {
  placeNote(sheets.at(-1) ?? document.body);
  document.documentElement.classList.toggle("sheet-open", sheets.length > 0);
}
