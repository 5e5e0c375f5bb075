// A prompt that waits for a model: what the form said when somebody pressed *Get and use*. When the download has come,
// the model is chosen and the prompt is drawn, once. It is kept in this browser, since it is this form's and this
// person's: it survives a reload and a restart of the program, and in private mode nothing of it is kept.

import { api } from "../core/api.js";
import { emit, on } from "../core/bus.js";
import { el, fill, setText } from "../core/dom.js";
import { kept } from "../core/kept.js";
import { about, t } from "../core/language.js";
import { note, orNote } from "../core/note.js";
import { requestWith, useBundle } from "../form/bundle.js";
import { askForCheckpoints } from "../form/checkpoints.js";
import { addressOf } from "../form/request.js";
import { form } from "../form/store.js";
import { lookAtDownloads, percentOf } from "../jobs/downloads.js";
import { newKey, submit } from "../jobs/outbox.js";

const WAITS = "waits"; // {download, key, bundle, task, values, untouched, hasPrompt}
let box = null;
let isAsked = false; // how its download stands, since the page was opened
let drawn = "";

const waits = () => kept.get(WAITS);

export function mountWaiting(element) {
  box = element;
  if (waits()) drawWaiting(null);
}

/** `download` is the id of one that brings `bundle`. */
on("wait-for-model", ({ download, bundle }) => {
  const { task, values, untouched } = form;
  const isForPicture = task === "image_to_image" && Boolean(values.init_image);
  const hasPrompt = Boolean(values.prompt?.trim()) && (isForPicture || task === "text_to_image" && !bundle.edits);
  const { name, settings, prompt_suffix, id } = bundle;
  kept.set(WAITS, { download, key: newKey(), bundle: { id, name, settings, prompt_suffix }, task, values, untouched: [...untouched], hasPrompt });
  drawWaiting(null);
  emit("downloads-changed");
});

on("machine", ({ downloads }) => {
  if (isAsked || !downloads || !waits()) return;
  isAsked = true; // it may have come while nobody looked
  void lookAtDownloads();
});

on("downloads", ({ list, came }) => {
  const one = waits();
  const download = one && list.find(({ id }) => id === one.download && id);
  if (download?.state === "finished") void arrive(one, download);
  else if (one && (!download || download.state === "cancelled")) endWaiting(t("waits_cancelled", { name: one.bundle.name }));
  else drawWaiting(download);
  const other = came.find(({ id }) => id !== one?.download);
  if (other) note(t("download_came", { name: other.name }));
});

/** It is used, unless the person has chosen another checkpoint since; the request is the one of that moment. */
async function arrive(one, { places }) {
  endWaiting();
  await askForCheckpoints();
  if (form.values.checkpoint === one.values.checkpoint) useBundle(one.bundle, places);
  else note(t("download_came", { name: one.bundle.name }));
  if (!one.hasPrompt) return;
  const request = requestWith(one.bundle, places, one);
  const { task, ...body } = request;
  emit("submitting", request);
  void submit(addressOf(task), body, request, { key: one.key });
}

function endWaiting(said) {
  kept.set(WAITS, null);
  drawWaiting(null);
  if (said) note(said);
}

function drawWaiting(download) {
  if (!box) return;
  const one = waits();
  box.hidden = !one;
  if (!one) return;
  const state = download?.state ?? "waiting";
  const key = `${one.download}/${state}`;
  if (key !== drawn) {
    drawn = key;
    const button = (text, onclick) => el("button", { type: "button", class: "plain", text: t(text), onclick });
    fill(box,
      el("p", { class: "waits-told" }, el("span", { role: "status", text: whatWaits(one, state) }), el("span", { class: "waits-part" })),
      state === "failed" ? button("try_again", () => void resume(one.download)) : null,
      button("waits_end", () => endWaiting(t("waits_ended", { name: one.bundle.name }))));
  }
  setText(box.querySelector(".waits-part"), howFar(download, state));
}

const whatWaits = ({ bundle: { name }, hasPrompt }, state) => t(state === "failed" ? "waits_failed" : hasPrompt ? "waits_for" : "waits_to_use", { name });

function howFar(download, state) {
  if (!download || state === "failed") return download?.error?.message ?? "";
  const [n, left] = [percentOf(download), download.seconds_left];
  if (state === "paused") return t("waits_paused", { n });
  if (download.problem) return download.problem.message;
  return left === null ? t("waits_percent", { n }) : t("waits_left", { n, time: about(left) });
}

async function resume(download) {
  await orNote(() => api("POST", `/api/models/downloads/${download}/resume`));
  emit("downloads-changed");
}
