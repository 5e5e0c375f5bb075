// A step of the strip that stays in sight: it can be kept as a picture, be where another picture branches off, and the
// whole strip be saved. While a step is in sight, these buttons stand where those of the finished picture stand otherwise.

import { api } from "../core/api.js";
import { emit, on } from "../core/bus.js";
import { el, setText } from "../core/dom.js";
import { sentences, t } from "../core/language.js";
import { note } from "../core/note.js";
import { LAST, jobOf } from "../jobs/jobs.js";
import { submit } from "../jobs/outbox.js";
import { choose, view } from "../jobs/view.js";
import { armBranch } from "./branch_off.js";
import { unpin } from "./strip.js";

const steps = { box: null, kept: new Map(), asked: new Set() }; // kept: job → images whose steps are in memory

export function mountSteps(box) {
  const button = (key, run) => el("button", { type: "button", class: "plain", text: t(key), title: t(`${key}_hint`), onclick: run });
  steps.keep = button("keep_step", keepStep);
  steps.branch = button("branch", () => armBranch(stepOnStage()));
  steps.save = el("a", { class: "button", role: "link", text: t("save_strip"), title: t("save_strip_hint") });
  steps.said = el("span", { class: "step-said", role: "status" });
  steps.back = button("back_to_picture", unpin);
  steps.box = el("div", { class: "step-actions", role: "group", "aria-label": t("step_actions"), hidden: true },
    steps.keep, steps.branch, steps.save, steps.said, steps.back);
  box.append(steps.box);
}

/** The step that the buttons mean: the one in sight, else the last one of a job that has no pictures. */
function stepOnStage() {
  const job = view.shown;
  if (!job?.total || job.isRefused) return null;
  const image = job.pictures[view.enlarged ?? 0]?.image ?? view.enlarged ?? 0;
  const reached = job.reached[image] ?? 0;
  if (view.scrub?.isPinned) return { job, image, step: Math.min(view.scrub.step, reached || job.total), total: job.total };
  return ["cancelled", "failed"].includes(job.state) && reached ? { job, image, step: reached, total: job.total } : null;
}

on("drawn", () => {
  if (!steps.box) return;
  const here = stepOnStage();
  steps.box.hidden = !here;
  steps.box.parentElement.dataset.step = here ? "yes" : "";
  if (!here) return;
  const { canBranch } = here.job;
  if (canBranch === undefined) void askSteps(here.job);
  steps.branch.disabled = !canBranch || here.step >= here.total;
  const canSave = here.job.state in LAST && here.job.previews.length > 1;
  steps.save.setAttribute("aria-disabled", String(!canSave));
  if (canSave) Object.assign(steps.save, { href: `/api/jobs/${here.job.id}/strip?image=${here.image}`, download: "" });
  else steps.save.removeAttribute("href");
  steps.back.hidden = !view.scrub?.isPinned;
  const said = [view.scrub?.isBlind ? t("step_unseen") : "", canBranch === false ? t("unbranched") : goneText(here)];
  setText(steps.said, sentences(said));
});

/** What it takes to go back to a step that the worker has forgotten. */
function goneText({ job, image, step }) {
  if (!(job.state in LAST)) return "";
  const kept = steps.kept.get(job.id);
  if (!kept) void askSteps(job);
  return !kept || kept.includes(image) ? "" : t("steps_gone", { n: step });
}

/** Whether a job may branch, and which images' steps are in the worker's memory; once for each look at a job. */
async function askSteps(job) {
  if (steps.asked.has(job.id)) return;
  steps.asked.add(job.id);
  const hasEnded = job.state in LAST;
  try {
    const found = await api("GET", `/api/jobs/${job.id}`);
    job.canBranch = found.can_branch;
    if (hasEnded) steps.kept.set(job.id, found.steps_kept);
    emit("drawn", view.shown);
  } catch {
    steps.asked.delete(job.id);
  }
}

/** What was in memory a while ago need not be there any more: a job that ends may have taken its room. */
on("job", (job) => {
  if (!(job.state in LAST)) return;
  steps.kept.clear();
  steps.asked.clear();
});

async function keepStep() {
  const here = stepOnStage();
  if (!here) return;
  const { job, image, step, total } = here;
  view.chosen = job.id; // the eye stays where it is
  const answer = await submit(`/api/jobs/${job.id}/keep`, { image, step }, { ...job.request, stop_after: step }, { isAside: true });
  if (!answer) return;
  keptBy.set(answer.id, { step, total });
  note(t("step_being_kept", { step, total }));
  tellKept(jobOf(answer.id));
}

const keptBy = new Map(); // job → the step that it keeps

function tellKept(job) {
  const asked = keptBy.get(job.id);
  if (!asked || !(job.state in LAST)) return;
  keptBy.delete(job.id);
  if (job.state === "finished") note(t("step_kept", asked), { text: t("show_it"), run: () => choose(job.id) });
  else if (job.error) note(sentences([job.error.message, job.error.hint]));
}
on("job", tellKept);
