// After the first picture of an introductory checkpoint, where there is no other: one line that says so and leads to real
// ones, beside the picture's title. It is said once, to whoever may download.

import { emit, on } from "../core/bus.js";
import { el, fill } from "../core/dom.js";
import { kept } from "../core/kept.js";
import { t } from "../core/language.js";
import { checkpoints } from "../form/checkpoints.js";
import { worker } from "../jobs/worker.js";

const SAID = "introduced";
let line = null;

export function mountIntroduction(element) {
  line = element;
  on("drawn", (job) => { if (job?.state === "finished" && job.pictures.length) introduce(job.request); });
  on("checkpoints", () => { if (!isTheOnlyOne()) line.hidden = true; });
  on("submitting", () => { line.hidden = true; }); // the next picture's title stands there
}

const isTheOnlyOne = () => checkpoints.all.length === 1 && checkpoints.all[0].is_introductory;

function introduce(request) {
  if (!worker.isOperator || kept.get(SAID) || request?.checkpoint !== checkpoints.all[0]?.id || !isTheOnlyOne()) return;
  kept.set(SAID, true);
  const leave = () => { line.hidden = true; };
  const get = () => { leave(); emit("open-models", "get"); };
  fill(line,
    el("span", { role: "status", text: t("introductory") }),
    el("button", { type: "button", class: "link", text: t("introductory_get"), onclick: get }),
    el("button", { type: "button", class: "icon", text: "×", title: t("not_now"), "aria-label": t("not_now"), onclick: leave }));
  line.hidden = false;
}
