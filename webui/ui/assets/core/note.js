// A line at the bottom of the left column that goes by itself, with buttons where it has some; it waits while it is used.

import { ApiError } from "./api.js";
import { byId, el, fill } from "./dom.js";
import { alarm } from "./timing.js";

const LASTS = 5000; // ms
const LASTS_WITH_BUTTON = 9000;
const LOOKS_AGAIN = 2000; // whether it is still in use

let place = null; // the sheet on top, or the page

const leaving = alarm(() => {
  const box = byId("note");
  if (box.matches(":hover, :focus-within")) return leaving.set(LOOKS_AGAIN);
  box.hidden = true;
});

/** Each of `actions` is {text, run}. */
export function note(text, ...actions) {
  const box = byId("note") ?? (place ?? document.body).appendChild(el("div", { id: "note", role: "status", class: "dr" }));
  const from = document.activeElement;
  const buttons = actions.filter(Boolean).map((action) => {
    const run = () => { box.hidden = true; from?.focus?.(); action.run(); };
    return el("button", { type: "button", class: "link", text: action.text, onclick: run });
  });
  fill(box, el("span", { text }), ...buttons);
  box.hidden = false;
  leaving.set(buttons.length ? LASTS_WITH_BUTTON : LASTS);
}

/** Where the note stands: what a sheet covers takes no clicks. */
export function placeNote(element) {
  place = element;
  const box = byId("note");
  if (box) place.append(box);
}

export function hideNote() {
  if (byId("note")) byId("note").hidden = true;
}

/** Runs something of the API; what goes wrong is said in the note. Whether it went well. */
export async function orNote(run) {
  try {
    await run();
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    note(error.told);
    return false;
  }
}
