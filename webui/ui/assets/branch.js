// A branch that is armed: the next Generate goes on from a step of another job. The sign above the prompt says so; what
// a branch has as its origin has it cannot be changed meanwhile.

const BRANCH_TIED = ["size_row", ...order.filter((name) => !["ratio", "width", "height", ...given.branch_free].includes(name))];
// Those of them that nobody but a person changes, or the settings of another picture: the others follow by themselves.
const BRANCH_COURSE = [...BRANCH_TIED.filter((name) => name in fields && !FOLLOWING.includes(name)), "width", "height"];
let armed = kept.get("branch"); // {job, image, step, total, task, prompt, preview}
let branchChip = null;

/** The next Generate branches off `step` of that job's image. Controls take its settings, as far as they have them. */
function armBranch(here) {
  if (!here) return;
  const { job, image, step, total } = here;
  const { request } = job;
  const told = request.resolved_prompts?.[request.walk_to ? 0 : request.only_image ?? image];
  giveBack({ ...request, ...told, looks: told ? [] : request.looks, seed: seedAlone(request, image), num_images: 1, keep_best: 0, variation_strength: 0, variation_seed: null });
  armed = { job: job.id, image, step, total, task: request.task, prompt: told?.prompt ?? request.prompt, preview: stage.scrub?.sources[image] ?? job.latest[image] ?? null };
  kept.set("branch", armed);
  drawBranch();
  byId("prompt")?.querySelector("textarea")?.focus();
}

/** The seed whose noise the image has. */
function seedAlone(request, image) {
  const index = request.only_image ?? image;
  if (request.walk_to) return index === request.num_images - 1 ? request.walk_to.seed : request.seed;
  return request.variation_strength > 0 ? request.seed : (request.seed + index) % 2 ** 32;
}

function disarmBranch() {
  armed = null;
  kept.set("branch", null);
  drawBranch();
}

/** Settings of another picture are no branch's: what is tied would show what is not so. */
on("replacing", (changes) => {
  if (!armed || armed.task !== task) return;
  const isOther = BRANCH_COURSE.some((name) => name in changes && changes[name] !== values[name]);
  if (isOther) disarmBranch();
});

/** What goes along with the controls' values: where to branch off, or nothing. */
const branchSent = () => (armed && armed.task === task ? JSON.stringify({ job: armed.job, image: armed.image, step: armed.step }) : "");

function drawBranch() {
  const writing = byId("writing");
  if (!writing) return;
  const isOn = Boolean(armed && armed.task === task);
  if (!branchChip?.isConnected) {
    branchChip = el("div", { id: "branch_chip", class: "dr", role: "group", "aria-label": t("branch") });
    writing.prepend(branchChip);
  }
  branchChip.hidden = !isOn;
  for (const name of BRANCH_TIED) {
    const node = byId(name);
    if (!node) continue;
    node.inert = isOn;
    node.dataset.tied = isOn ? "yes" : ""; // no class: Gradio writes these anew
  }
  const key = isOn ? `${armed.job}/${armed.image}/${armed.step}` : "";
  if (branchChip.dataset.key === key) return;
  branchChip.dataset.key = key;
  if (!isOn) return fill(branchChip);
  fill(branchChip,
    armed.preview ? el("img", { src: armed.preview, alt: "" }) : null,
    el("div", {},
      el("p", { role: "status", text: t("branch_armed", { step: armed.step, total: armed.total, prompt: shortened(armed.prompt) }) }),
      el("p", { text: t("branch_rule") })),
    el("button", { type: "button", "aria-label": t("branch_off"), title: t("branch_off"), text: "×", onclick: () => { disarmBranch(); byId("prompt")?.querySelector("textarea")?.focus(); } }));
}

const shortened = (text) => (text.length > 40 ? `${text.slice(0, 39)}…` : text || "…");

on("task", () => setTimeout(drawBranch));
on("values", drawBranch);
on("checkpoints", drawBranch);
on("grown", drawBranch);
