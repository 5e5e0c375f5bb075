// The stage: one job, its previews cross-faded. It follows the job that runs, unless the person looks at another one.

import { emit, on } from "../core/bus.js";
import { fill, setText } from "../core/dom.js";
import { closed } from "../core/history.js";
import { t } from "../core/language.js";
import { fillPart } from "../core/places.js";
import { form } from "../form/store.js";
import { setDisabled } from "../gradio/boxes.js";
import { active, hasEnded, titleOf } from "../jobs/jobs.js";
import { stateText } from "../jobs/state_text.js";
import { isLost, recall } from "../jobs/stream.js";
import { jobToShow, sourcesOf, view } from "../jobs/view.js";
import { mountActions } from "./actions.js";
import { drawEmpty } from "./empty.js";
import { drawError } from "./error.js";
import { mountIntroduction } from "./introduction.js";
import { drawPictures, inputToShow } from "./pictures.js";
import { mountRail } from "./rail.js";
import { drawRest } from "./rest.js";
import { stage } from "./state.js";
import { mountStrip } from "./strip.js";
import { mountSwipe } from "./swipe.js";

fillPart("stage", (element) => {
  const find = (selector) => element.querySelector(selector);
  stage.node = find("#stage");
  stage.node.setAttribute("aria-label", t("stage"));
  stage.parts = {
    pictures: find(".stage-pictures"), empty: find(".stage-empty"), note: find(".stage-note"), title: find(".stage-title"),
    error: find(".stage-error"), offline: find(".stage-offline"), rest: find(".stage-rest"), said: find(".stage-said"),
  };
  stage.parts.offline.textContent = t("connection_lost");
  stage.parts.offline.hidden = !isLost();
  stage.parts.rest.addEventListener("pointerdown", (event) => event.stopPropagation()); // a finger scrolls it, the stage stays
  mountStrip(find(".strip"));
  mountActions(find(".actions"));
  mountRail(find(".rail"));
  mountIntroduction(find(".introduction"));
  mountSwipe();
  drawStage();
});

on("submitting-job", () => { Object.assign(view, { chosen: null, isInputUsed: true }); });
on("values", ({ changed }) => { if (changed.includes("init_image")) Object.assign(view, { input: form.values.init_image || null, isInputUsed: false }); });
on("refused", (job) => { view.chosen = job.id; });
for (const event of ["jobs", "view", "checkpoints", "values", "task"]) on(event, drawStage);
on("caught-up", () => {
  const job = jobToShow();
  if (job && hasEnded(job)) recall(job);
});
on("connection", (isDown) => { if (stage.node) stage.parts.offline.hidden = !isDown; });

function drawStage() {
  if (!stage.node) return;
  const job = jobToShow();
  if (view.shown?.id !== job?.id) {
    if (view.shown && sourcesOf(view.shown).some(Boolean)) stage.before = view.shown;
    Object.assign(view, { enlarged: null, scrub: null });
  }
  view.shown = job;
  if (view.enlarged === null) closed("enlarged");
  if (view.isInputUsed && sourcesOf(job).some(Boolean)) view.input = null;
  const { dataset } = stage.node;
  const isReal = job && !job.isUnsent && !job.isRefused;
  dataset.job = isReal ? job.id : "";
  dataset.state = job?.state ?? "empty";
  dataset.step = job?.step ?? 0;
  dataset.total = job?.total ?? 0;
  stage.node.setAttribute("aria-busy", String(["waiting", "running"].includes(dataset.state)));
  drawPictures(job);
  drawRest(job);
  drawNote(job);
  drawTitle(job);
  drawError(job);
  if (!job && !inputToShow()) drawEmpty();
  else fill(stage.parts.empty);
  setDisabled("stop", active().length === 0);
  emit("drawn", job);
}

/** One line that says whose picture this is. */
function drawTitle(job) {
  const title = inputToShow() ? t("init_image") : job && !job.isRefused ? titleOf(job) : "";
  stage.parts.title.hidden = !title;
  setText(stage.parts.title, title);
  stage.parts.title.title = title;
}

function drawNote(job) {
  const box = stage.parts.note;
  const text = stateText(job);
  box.hidden = !text;
  setText(box, text);
}
