// What the stage says of a job that failed: one sentence, one button that helps, a log id.

function drawError(job) {
  const box = stage.parts.error;
  const error = job?.state === "failed" ? job.error : null;
  box.hidden = !error;
  if (!error) return void fill(box);
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

/** Three quarters of a side in steps of 64 pixels, halves to even: as the hint of the error words it. */
function smallerSide(side) {
  const parts = (side * 0.75) / 64;
  const rounded = parts % 1 === 0.5 ? 2 * Math.round(parts / 2) : Math.round(parts);
  return Math.max(64, rounded * 64);
}

/** The one thing that helps with this error, where anything on this page does. */
function helpFor(job, error) {
  if (error.kind === "job_unreadable") return null;
  if (error.kind === "out_of_memory" && job.request?.width) {
    const [width, height] = [job.request.width, job.request.height].map(smallerSide);
    return { text: t("try_at", { width, height }), run: () => { setControls({ width, height, ratio: null }); setTimeout(generate, 80); } };
  }
  if (/^(no_checkpoint|checkpoint_|family_|tokenizer_|task_)/.test(error.kind)) {
    return { text: t("choose_checkpoint"), run: () => byId("checkpoint")?.querySelector("input")?.focus() };
  }
  if (error.field) return { text: t("show_me"), run: () => focusField(error.field) };
  if (error.kind === "prompt") return { text: t("show_me"), run: () => focusField("prompt") };
  return { text: t("try_again"), run: generate };
}

function focusField(field) {
  emit("reveal", field);
  const target = byId(field)?.querySelector("input, textarea");
  target?.scrollIntoView({ block: "center" });
  target?.focus();
}
