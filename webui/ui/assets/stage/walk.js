// A walk on the stage: one picture at a time, and a slider says where on the way it is.

import { on } from "../core/bus.js";
import { el } from "../core/dom.js";
import { t } from "../core/language.js";
import { view } from "../jobs/view.js";
import { drawPictures } from "./pictures.js";
import { draw, stage } from "./state.js";

const walked = { shown: null, slider: null, images: [] };

const isWalk = (job) => Boolean(job?.request?.walk_to) && job.pictures.length > 1;

on("drawn", (job) => {
  if (!stage.node) return;
  const wanted = isWalk(job);
  stage.node.dataset.walk = wanted ? "yes" : "";
  if (!wanted) {
    walked.shown = null;
    return void walked.slider?.remove();
  }
  const last = job.pictures.length - 1;
  if (walked.shown !== job.id) {
    walked.shown = job.id;
    walked.images = job.pictures.map((picture) => Object.assign(new Image(), { src: picture.url })); // sliding shows no gaps
    view.enlarged = 0;
    drawPictures(job);
  }
  walked.slider ??= walkSlider();
  if (!walked.slider.isConnected) stage.node.append(walked.slider);
  const at = Math.min(view.enlarged ?? 0, last);
  const input = walked.slider.firstElementChild;
  Object.assign(input, { max: last, value: at });
  input.setAttribute("aria-valuetext", t("image_of", { n: at + 1, count: last + 1 }));
  input.style.setProperty("--fill", `${(at / last) * 100}%`);
});

function walkSlider() {
  const input = el("input", { type: "range", min: "0", step: "1", "aria-label": t("walk_along"), oninput: () => {
    view.enlarged = Number(input.value);
    draw();
  } });
  const own = (event) => event.stopPropagation(); // the stage's own swipes and arrow keys lead to other jobs
  return el("div", { class: "walk-slider", onpointerdown: own, onkeydown: own }, input);
}
