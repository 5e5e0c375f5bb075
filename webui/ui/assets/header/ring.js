// The ring in the header: how far a model is that is being downloaded. It leads to the downloads, and is there as long
// as one of them has not ended well.

import { on } from "../core/bus.js";
import { setAttribute } from "../core/dom.js";
import { goTo } from "../core/history.js";
import { about, t } from "../core/language.js";
import { note } from "../core/note.js";
import { percentOf } from "../jobs/downloads.js";

const SHOWN = ["running", "waiting", "failed", "paused"]; // the first of these that there is

export function mountRing(button) {
  button.addEventListener("click", () => void goTo("models", "get"));
  on("downloads", ({ list, came }) => {
    if (came.length) note(t("download_came", { name: came[0].name })); // what waits for it says more
    const state = SHOWN.find((one) => list.some((download) => download.state === one));
    button.hidden = !state;
    if (state) drawRing(button, list.find((download) => download.state === state));
  });
}

function drawRing(button, download) {
  const { name, state, seconds_left: left, problem } = download;
  const percent = percentOf(download);
  const said = [t(`ring_${state}`, { name, percent }), left === null || state !== "running" ? "" : t("download_left", { time: about(left) }), problem?.message];
  button.style.setProperty("--done", percent / 100);
  setAttribute(button, "data-state", state);
  for (const attribute of ["aria-label", "title"]) setAttribute(button, attribute, said.filter(Boolean).join(", "));
}
