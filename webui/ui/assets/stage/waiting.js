// Prompts that wait for a model: what the form said when somebody pressed *Get and use*. When a download has come, its
// model is chosen and the prompt is drawn, once. They are kept in this browser, since they are this form's and this
// person's: they survive a reload and a restart of the program, and in private mode nothing of them is kept.

import { ApiError, api } from "../core/api.js";
import { emit, on } from "../core/bus.js";
import { el, fill, setText } from "../core/dom.js";
import { kept } from "../core/kept.js";
import { about, t } from "../core/language.js";
import { note, orNote } from "../core/note.js";
import { alarm } from "../core/timing.js";
import { requestWith, useBundle } from "../form/bundle.js";
import { askForCheckpoints } from "../form/checkpoints.js";
import { addressOf } from "../form/request.js";
import { form } from "../form/store.js";
import { lookAtDownloads, percentOf } from "../jobs/downloads.js";
import { newKey, submit } from "../jobs/outbox.js";

const WAITS = "waits"; // [{key, download, bundle, task, values, untouched, hasPrompt, chosen}], in the order of asking
const LOOKS_AGAIN = 2000; // ms, while the server does not say what has become of one
let box = null;
let told = []; // the downloads, as they were told last
const busy = new Set(); // keys of those whose model is being taken, or looked for
const again = alarm(() => void lookAtDownloads());

/** Read each time: other tabs wait, too. */
const waits = () => [kept.get(WAITS, [])].flat().filter((one) => one?.download);
const addressOfDownload = (id) => `/api/models/downloads/${encodeURIComponent(id)}`;

export function mountWaiting(element) {
  box = element;
  drawWaiting();
}

/** `download` is the id of one that brings `bundle`; `now` is what the form said, {task, values, untouched}. */
on("wait-for-model", ({ download, bundle, now: { task, values, untouched } }) => {
  const isForPicture = task === "image_to_image" && Boolean(values.init_image);
  const hasPrompt = Boolean(values.prompt?.trim()) && (isForPicture || task === "text_to_image" && !bundle.edits);
  const { name, settings, prompt_suffix, id } = bundle;
  const one = { key: newKey(), download, bundle: { id, name, settings, prompt_suffix }, task, values, untouched: [...untouched], hasPrompt, chosen: values.checkpoint };
  const others = waits();
  if (!others.some((other) => isSameWish(other, one))) kept.set(WAITS, [...others, one]);
  drawWaiting();
  emit("downloads-changed");
});

const isSameWish = (one, other) => ["download", "task", "values"].every((name) => JSON.stringify(one[name]) === JSON.stringify(other[name]));

/** It may have come while nobody looked. */
on("machine", ({ downloads }) => {
  if (downloads && waits().some((one) => !downloadOf(one))) void lookAtDownloads();
});

const downloadOf = (one) => told.find(({ id }) => id === one.download);

on("downloads", ({ list, came }) => {
  told = list;
  const all = waits();
  for (const one of all) {
    const download = downloadOf(one);
    if (!download) void lookFor(one);
    else if (download.state === "finished") void arrive(one, download);
    else if (download.state === "cancelled") leave(one, t("waits_cancelled", { name: one.bundle.name }));
  }
  drawWaiting();
  const other = came.find(({ id }) => !all.some(({ download }) => download === id));
  if (other) note(t("download_came", { name: other.name }));
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
    laterOnesFollow(now);
  } else note(t("download_came", { name: now.bundle.name }));
  if (now.hasPrompt) {
    const request = requestWith(now.bundle, places, now);
    const { task, ...body } = request;
    emit("submitting", request);
    void submit(addressOf(task), body, request, { key: now.key });
  }
  leave(now);
}

/** What was asked for after `one` takes its place when it comes: nobody has chosen otherwise. */
function laterOnesFollow(one) {
  const all = waits();
  const at = all.findIndex(({ key }) => key === one.key);
  kept.set(WAITS, all.map((other, i) => (i > at && other.chosen === one.chosen ? { ...other, chosen: form.values.checkpoint } : other)));
}

function leave(one, said) {
  kept.set(WAITS, waits().filter(({ key }) => key !== one.key));
  drawWaiting();
  if (said) note(said);
}

function drawWaiting() {
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
