// What can be done with the picture on the stage: save, vary, use as an input, its seed, its details.

import { emit, on } from "../core/bus.js";
import { el, fill, setText } from "../core/dom.js";
import { t } from "../core/language.js";
import { note } from "../core/note.js";
import { addressOf } from "../form/request.js";
import { isAtOnce } from "../form/work.js";
import { form } from "../form/store.js";
import { usePicture } from "../form/stored_pictures.js";
import { submit } from "../jobs/outbox.js";
import { canFinishSharp, finishSharp } from "../jobs/sharp.js";
import { pictureOnStage, view } from "../jobs/view.js";
import { drawDetails } from "../parts/details.js";
import { popover } from "../parts/popover.js";
import { formatPicker, savesPicture } from "../parts/save_format.js";
import { mountSteps } from "./steps.js";

const actions = {};
const DETAILS_WIDTH = 340; // px

export function mountActions(box) {
  const button = (key, run) => el("button", { type: "button", text: t(key), title: t(`${key}_hint`), onclick: run });
  actions.save = el("a", { class: "button", text: t("save"), title: t("save_hint"), role: "link" });
  actions.vary = button("vary", vary);
  actions.sharp = button("finish_sharp", () => void finishSharp(view.shown, pictureOnStage().image));
  actions.toImage = button("to_image", () => usePicture(pictureOnStage(), "init_image", "image_to_image"));
  actions.toStyle = button("to_style", () => usePicture(pictureOnStage(), "content_image", "style_transfer"));
  actions.seed = el("button", { type: "button", class: "seed", title: t("copy_seed"), onclick: copySeed });
  actions.details = button("details", () => {});
  actions.sheet = el("div", { class: "details", role: "group", "aria-label": t("details") });
  actions.format = formatPicker();
  fill(box, actions.save, actions.format, actions.sharp, actions.vary, actions.toImage, actions.toStyle, el("span", { class: "space" }), actions.seed, actions.details, actions.sheet);
  mountSteps(box);
  actions.close = popover(actions.details, actions.sheet, "details", DETAILS_WIDTH, () => drawDetails(actions.sheet, view.shown?.request, pictureOnStage()));
}

on("settings-given-back", () => actions.close?.());

on("drawn", (job) => {
  if (!actions.save) return;
  const picture = job ? pictureOnStage() : null;
  for (const name of ["vary", "toImage", "toStyle", "seed", "details"]) actions[name].disabled = !picture;
  if (picture) {
    savesPicture(actions.save, picture);
    actions.save.removeAttribute("aria-disabled");
  } else {
    actions.save.removeAttribute("href");
    actions.save.setAttribute("aria-disabled", "true");
    actions.close();
  }
  const seed = isAtOnce(job?.request ?? {}) ? null : picture?.seed; // a style at once draws no noise
  actions.sharp.hidden = !picture || !canFinishSharp(job.request);
  actions.seed.hidden = seed === undefined || seed === null;
  setText(actions.seed, t("seed_value", { seed }));
});

function vary() {
  const job = view.shown;
  if (!job?.request) return;
  const { task, ...request } = { ...job.request, seed: null };
  void submit(addressOf(task), request, { task, ...request });
}

async function copySeed() {
  const { seed } = pictureOnStage();
  emit("seed-copied", seed);
  try {
    await navigator.clipboard.writeText(String(seed));
    note(t("seed_copied", { seed }), { text: t("use_seed"), run: () => form.set({ seed }) });
  } catch {
    form.set({ seed }); // no clipboard on plain http: the seed box takes it at least
    note(t("seed_set", { seed }));
  }
}
