// Prompts that wait for a model: when a download has come, its model is chosen and the prompt is drawn, once. This script
// comes when something waits.

import { ApiError, api } from "../core/api.js";
import { emit, on } from "../core/bus.js";
import { el, fill, setText } from "../core/dom.js";
import { about, t } from "../core/language.js";
import { note, orNote } from "../core/note.js";
import { alarm } from "../core/timing.js";
import { requestWith, useBundle } from "../form/bundle.js";
import { askForCheckpoints } from "../form/checkpoints.js";
import { addressOf } from "../form/request.js";
import { form } from "../form/store.js";
import { lookAtDownloads, percentOf } from "../jobs/downloads.js";
import { submit } from "../jobs/outbox.js";
import { dropWait, laterOnesFollow, waits } from "../jobs/waits.js";
import { worker } from "../jobs/worker.js";
import { stage } from "./state.js";

const LOOKS_AGAIN = 2000; // ms, while the server does not say what has become of one
let told = []; // the downloads, as they were told last
const busy = new Set(); // keys of those whose model is being taken, or looked for
const again = alarm(() => void lookAtDownloads());

const addressOfDownload = (id) => `/api/models/downloads/${encodeURIComponent(id)}`;
const downloadOf = (one) => told.find(({ id }) => id === one.download);

/** One waits, perhaps since an earlier visit, and may have come meanwhile; who is not the operator is told of no
 * downloads. */
on("prompt-waits", () => { drawWaiting(); ask(worker); });
on("machine", ask);

function ask({ downloads }) {
  if (downloads && waits().some((one) => !downloadOf(one))) void lookAtDownloads();
}

on("drawn", () => { if (placeOf()?.hidden) drawWaiting(); }); // the stage may be drawn later, and anew

on("downloads", ({ list }) => {
  told = list;
  for (const one of waits()) {
    const download = downloadOf(one);
    if (!download) void lookFor(one);
    else if (download.state === "finished") void arrive(one, download);
    else if (download.state === "cancelled") leave(one, t("waits_cancelled", { name: one.bundle.name }));
  }
  drawWaiting();
});

/** What is not in the list: somebody took it off, after it had come or before; or it is too new. */
async function lookFor(one) {
  if (busy.has(one.key)) return;
  busy.add(one.key);
  let found = null;
  try {
    found = await api("GET", addressOfDownload(one.download));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status !== 404) return again.set(LOOKS_AGAIN);
  } finally {
    busy.delete(one.key);
  }
  if (found?.state === "finished") await arrive(one, found);
  else if (!found || found.state === "cancelled") leave(one, t("waits_cancelled", { name: one.bundle.name }));
}

/** It is used, unless the person has chosen another checkpoint since; the request is the one of that moment. It waits no
 * longer once the request is kept to go out: by its key it becomes one job, however many tabs send it. */
async function arrive(one, { places }) {
  if (busy.has(one.key)) return;
  busy.add(one.key);
  await askForCheckpoints();
  busy.delete(one.key);
  const now = waits().find(({ key }) => key === one.key);
  if (!now) return; // taken back meanwhile, or drawn in another tab
  if (form.values.checkpoint === now.chosen) {
    useBundle(now.bundle, places);
    laterOnesFollow(now, form.values.checkpoint);
  } else note(t("download_came", { name: now.bundle.name }));
  if (now.hasPrompt) {
    const request = requestWith(now.bundle, places, now);
    const { task, ...body } = request;
    emit("submitting", request);
    void submit(addressOf(task), body, request, { key: now.key });
  }
  leave(now);
}

function leave(one, said) {
  dropWait(one);
  drawWaiting();
  if (said) note(said);
}

const placeOf = () => stage.node?.querySelector(".stage-waits");

function drawWaiting() {
  const box = placeOf();
  if (!box) return;
  const all = waits();
  box.hidden = !all.length;
  const lines = all.map(({ key }) => [...box.children].find(({ dataset }) => dataset.key === key) ?? el("div", { class: "waits", data: { key, state: "" } }));
  if (lines.length !== box.children.length || lines.some((node, at) => box.children[at] !== node)) fill(box, ...lines);
  lines.forEach((node, at) => drawLine(node, all[at], downloadOf(all[at])));
}

function drawLine(node, one, download) {
  const state = download?.state ?? "waiting";
  if (node.dataset.state !== state) {
    node.dataset.state = state;
    const button = (text, onclick) => el("button", { type: "button", class: "plain", text: t(text), onclick });
    fill(node,
      el("p", { class: "waits-told" }, el("span", { role: "status", text: whatWaits(one, state) }), el("span", { class: "waits-part" })),
      state === "failed" ? button("try_again", () => void resume(one.download)) : null,
      button("waits_end", () => leave(one, t("waits_ended", { name: one.bundle.name }))));
  }
  setText(node.querySelector(".waits-part"), howFar(download, state));
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
  await orNote(() => api("POST", `${addressOfDownload(download)}/resume`));
  emit("downloads-changed");
}
