// How long this will take, from how long it took: beside the buttons, as soon as one picture was made here.

import { on } from "../core/bus.js";
import { setText } from "../core/dom.js";
import { about, t } from "../core/language.js";
import { fillPart } from "../core/places.js";
import { form } from "../form/store.js";
import { estimatedSeconds } from "../form/work.js";

fillPart("estimate", (element) => {
  const box = element.querySelector("p");
  const drawEstimate = () => {
    const { values, task } = form;
    if (!values.width) return;
    const time = estimatedSeconds({ ...values, task, checkpoint: task === "style_transfer" ? "" : values.checkpoint });
    setText(box, time > 0 ? t("about", { time: about(time) }) : "");
  };
  for (const event of ["values", "task", "jobs"]) on(event, drawEstimate);
  drawEstimate();
});
