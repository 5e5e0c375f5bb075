// A prompt that waits for a model: what the form said when somebody pressed *Get and use*. When the download has come,
// the model is chosen and the prompt is drawn, once. It is kept in this browser, since it is this form's and this
// person's: it survives a reload and a restart of the program, and in private mode nothing of it is kept. This script comes
// when something waits.

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
import { worker } from "../jobs/worker.js";
import { stage } from "./state.js";

const WAITS = "waits"; // {download, key, bundle, task, values, untouched, hasPrompt}; main.js looks for it
let seen = null; // its download, as it was told last
let isTold = false; // of downloads, since the page was opened

const waits = () => kept.get(WAITS);

/** One waits since an earlier visit, and may have come meanwhile; who is not the operator is told of no downloads. */
on("prompt-waits", () => { drawWaiting(null); ask(worker); });
on("machine", ask);

function ask({ downloads }) {
  if (downloads && !isTold && waits()) void lookAtDownloads();
}

on("drawn", () => { if (waits() && placeOf()?.hidden) drawWaiting(seen); }); // the stage may be drawn later, and anew

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

on("downloads", ({ list }) => {
  isTold = true;
  const one = waits();
  const download = one && list.find(({ id }) => id === one.download && id);
  if (download?.state === "finished") void arrive(one, download);
  else if (one && (!download || download.state === "cancelled")) endWaiting(t("waits_cancelled", { name: one.bundle.name }));
  else drawWaiting(download);
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

const placeOf = () => stage.node?.querySelector(".stage-waits");

function drawWaiting(download) {
  const box = placeOf();
  const one = waits();
  seen = download;
  if (!box) return;
  box.hidden = !one;
  if (!one) return;
  const state = download?.state ?? "waiting";
  const key = `${one.download}/${state}`;
  if (key !== box.dataset.key) {
    box.dataset.key = key;
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
