// What the stage says of a job that failed: one sentence, one button that helps, a log id.

import { emit, on } from "../core/bus.js";
import { el, fill } from "../core/dom.js";
import { t } from "../core/language.js";
import { smallerSide } from "../form/size.js";
import { form } from "../form/store.js";
import { focusField } from "../gradio/boxes.js";
import { jobs, madeWhen } from "../jobs/jobs.js";
import { view } from "../jobs/view.js";
import { stage } from "./state.js";

export function drawError(job) {
  const box = stage.parts.error;
  const error = job?.state === "failed" ? job.error : null;
  box.hidden = !error;
  if (!error) {
    box.dataset.job = "";
    return fill(box);
  }
  if (box.dataset.job === job.id && box.childElementCount) return;
  box.dataset.job = job.id;
  const help = helpFor(job, error);
  fill(
    box,
    el("p", { class: "sentence", text: error.message }),
    error.hint ? el("p", { class: "hint", text: error.hint }) : null,
    madeWhen(job) ? el("p", { class: "hint", text: madeWhen(job) }) : null,
    help ? el("button", { type: "button", class: "solid", text: help.text, onclick: help.run }) : null,
    error.log_id ? el("p", { class: "log", text: t("log_id", { id: error.log_id }) }) : null,
  );
}

/** The one thing that helps with this error, where anything on this page does. */
function helpFor(job, error) {
  if (error.kind === "job_unreadable") return null;
  if (error.kind === "out_of_memory" && job.request?.width) {
    const [width, height] = [job.request.width, job.request.height].map(smallerSide);
    return { text: t("try_at", { width, height }), run: () => { form.set({ width, height, ratio: null }); emit("generate"); } };
  }
  if (/^(no_checkpoint|checkpoint_|family_|tokenizer_|task_)/.test(error.kind)) {
    return { text: t("choose_checkpoint"), run: () => focusField("checkpoint") };
  }
  if (error.field) return { text: t("show_me"), run: () => focusField(error.field) };
  if (error.kind === "prompt") return { text: t("show_me"), run: () => focusField("prompt") };
  return { text: t("try_again"), run: () => emit("generate") };
}

/** What was refused because of a control goes when that control says something else. */
on("values", ({ changed }) => {
  const job = view.shown;
  if (job?.isRefused && job.error.field && changed.includes(job.error.field)) dismiss(job);
});
on("submitting", () => { if (view.shown?.isRefused) dismiss(view.shown); });

function dismiss(job) {
  jobs.delete(job.id);
  view.chosen = null;
  emit("jobs");
}
