// Two questions to a picture of the gallery: what does its file say (Inspect), and does the same request give the same
// picture again (Make again)? The second is answered pixel by pixel, with what else is not as it was. And a picture of the
// tiny decoder can be had from the full one.

import { api } from "../core/api.js";
import { on } from "../core/bus.js";
import { el, fill } from "../core/dom.js";
import { sentences, t } from "../core/language.js";
import { note } from "../core/note.js";
import { addressOf } from "../form/request.js";
import { jobOf } from "../jobs/jobs.js";
import { submit } from "../jobs/outbox.js";
import { canFinishSharp, whyDrawnAgain } from "../jobs/sharp.js";

const HAPPENED = ["version", "device", "precision", "weights_precision", "checkpoint_hash", "vae_hash", "lora_hashes", "lora_layers", "steps", "fallback", "prompt", "negative_prompt"];
const SHORT_CHARACTERS = 60;
const remade = new Map(); // job → the picture that it makes again, and where the answer goes

/** Both buttons and the place below them. */
export function pictureTools(picture) {
  const out = el("div", { class: "one-said" });
  const inspectButton = el("button", { type: "button", class: "plain", text: t("inspect"), title: t("inspect_hint"), onclick: () => answer(out, () => showTexts(picture, out)) });
  const againButton = el("button", { type: "button", class: "plain", text: t("again"), title: t("again_hint"), onclick: () => answer(out, () => makeAgain(picture, out)) });
  const sharpButton = canFinishSharp(picture.request) ? el("button", { type: "button", class: "plain", text: t("finish_sharp"), title: t("finish_sharp_hint"), onclick: () => answer(out, () => finishSharp(picture, out)) }) : null;
  return el("div", { class: "one-tools" }, el("div", { class: "one-buttons" }, inspectButton, againButton, sharpButton), out);
}

async function answer(out, run) {
  try {
    await run();
  } catch (error) {
    say(out, error.told ?? t("error_no_answer"));
  }
}

/** Into the open picture, or into a note where it was closed meanwhile. */
function say(out, text) {
  if (!out.isConnected) return note(text);
  fill(out, el("p", { role: "status", text }));
}

async function textsOf(url) {
  const blob = await api("GET", url);
  const body = new FormData();
  body.append("file", blob, "picture");
  return { blob, texts: (await api("POST", "/api/inspect", body)).texts };
}

async function showTexts(picture, out) {
  const { texts } = await textsOf(picture.url);
  if (!texts.length) return say(out, t("inspect_none"));
  fill(out, ...texts.map(({ name, text }) => el("section", {}, el("h4", { text: name }), el("pre", { tabindex: "0", "aria-label": name, text }))));
}

/** Our own JSON among the texts, as far as it can be read. */
function ours(texts) {
  try {
    return JSON.parse(texts.find((one) => one.name === "darkroom")?.text ?? "null");
  } catch {
    return null;
  }
}

async function makeAgain(picture, out) {
  const { task: kind, ...request } = await api("GET", `${picture.url}/request`);
  const before = await textsOf(picture.url);
  say(out, t("again_busy"));
  const answer = await submit(addressOf(kind), request, { task: kind, ...request }, { isAside: true });
  if (!answer) return say(out, t("error_refused"));
  remade.set(answer.id, { before, out });
  heard(jobOf(answer.id)); // a quick one has ended before we hear that it is queued
}

/** By its own request, as its job may be forgotten; the steps are the same. */
async function finishSharp(picture, out) {
  const { task: kind, ...request } = await api("GET", `${picture.url}/request`);
  const sharp = { ...request, decoder: "full" };
  const why = await whyDrawnAgain(picture.job, picture.image, picture.request);
  const sent = await submit(addressOf(kind), sharp, { task: kind, ...sharp }, { isAside: true });
  if (!sent) return say(out, t("error_refused"));
  say(out, why ? sentences([why, t("sharp_later")]) : t("sharp_asked"));
}

on("job", heard);

function heard(job) {
  const asked = remade.get(job.id);
  if (!asked || !["finished", "failed", "cancelled"].includes(job.state)) return;
  remade.delete(job.id);
  if (job.state !== "finished" || !job.pictures[0]) return say(asked.out, job.error?.message ?? t("again_stopped"));
  answer(asked.out, () => compare(asked, job.pictures[0]));
}

async function compare({ before, out }, picture) {
  const after = await textsOf(picture.url);
  const [first, second] = await Promise.all([before.blob, after.blob].map(pixelsOf));
  const [said, now] = [before, after].map(({ texts }) => ours(texts) ?? {});
  const changed = HAPPENED.map((name) => [name, valueOf(said, name), valueOf(now, name)]).filter(([, one, other]) => one !== other);
  const list = changed.map(([name, one, other]) => t("again_change", { name: t(`happened_${name}`), before: one, after: other })).join(t("list_comma"));
  const quality = psnr(first, second);
  const result = quality === null ? t("again_other_size") : quality === Infinity ? t("again_same") : t("again_differs", { psnr: quality.toFixed(1) });
  say(out, [result, list ? t("again_changes", { list }) : quality === Infinity ? "" : t("again_no_change")].filter(Boolean).join(" "));
}

const valueOf = (said, name) => String((name === "version" ? said.version : said.info?.[name]) ?? "–").slice(0, SHORT_CHARACTERS);

/** The bytes as they lie in the file: no profile, no transparency comes between. */
async function pixelsOf(blob) {
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const context = Object.assign(document.createElement("canvas"), { width: bitmap.width, height: bitmap.height }).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
}

/** In dB over red, green and blue; Infinity for the same pixels, null for other sizes. */
function psnr(one, other) {
  if (one.width !== other.width || one.height !== other.height) return null;
  let squares = 0;
  for (let i = 0; i < one.data.length; i += 1) if (i % 4 !== 3) squares += (one.data[i] - other.data[i]) ** 2;
  return 10 * Math.log10((255 ** 2 * one.width * one.height * 3) / squares);
}
