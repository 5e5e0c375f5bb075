// The right half of the header: the machine, the queue, the share dialog, the language.

import { ApiError, api } from "../core/api.js";
import { emit, on } from "../core/bus.js";
import { el, fill } from "../core/dom.js";
import { about, language, t } from "../core/language.js";
import { note } from "../core/note.js";
import { fillPart } from "../core/places.js";
import { pause } from "../core/timing.js";
import { cancelJob } from "../jobs/cancel.js";
import { LAST, active, jobsInOrder, thumbOf, titleOf } from "../jobs/jobs.js";
import { lineOf } from "../jobs/state_text.js";
import { worker } from "../jobs/worker.js";
import { helpMark } from "../parts/help_mark.js";
import { isOpen, popover } from "../parts/popover.js";
import { mountPrivate } from "./private.js";
import { mountRing } from "./ring.js";

const header = {};
const WIDTH = 320; // px, of the boxes that open below
const SHARE_PAUSE = 2000; // ms between two looks at a link that is being opened

fillPart("header", (element) => {
  const find = (selector) => element.querySelector(selector);
  Object.assign(header, {
    device: find(".device"), queue: find(".queue-button"), queueBox: find(".queue-pop"),
    share: find(".share-button"), shareBox: find(".share-pop"), language: find(".language-button"),
  });
  fill(header.share, el("span", { text: t("share") }), el("span", { class: "caret", "aria-hidden": "true", text: "▾" }));
  header.queueBox.setAttribute("aria-label", t("queue"));
  header.shareBox.setAttribute("aria-label", t("share"));
  for (const box of [header.queueBox, header.shareBox]) box.setAttribute("role", "dialog");
  popover(header.queue, header.queueBox, "queue", WIDTH, drawQueue);
  popover(header.share, header.shareBox, "share", WIDTH, () => { drawShare(null); void askShare(); });
  find(".models-button").textContent = t("models");
  find(".models-button").addEventListener("click", () => emit("open-models"));
  header.operator = find(".operator-button");
  header.operator.textContent = t("settings");
  header.operator.addEventListener("click", () => emit("open-operator"));
  Object.assign(find(".help-link"), { textContent: t("help"), href: `/help?lang=${language}` });
  header.language.textContent = language === "en" ? "中文" : "EN";
  header.language.title = t("switch_language");
  header.language.setAttribute("aria-label", t("switch_language"));
  header.language.addEventListener("click", switchLanguage);
  mountPrivate(find(".private-button"), find(".private-pop"));
  mountRing(find(".ring"));
  drawHeader();
});

/** What the share link is now, again while it is being opened, for as long as somebody looks. */
async function askShare() {
  while (isOpen(header.shareBox)) {
    let share;
    try {
      share = await api("GET", "/page/share");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      share = { state: "failed", message: error.message, hint: error.hint };
    }
    if (!isOpen(header.shareBox)) return;
    drawShare(share);
    if (share.state !== "opening") return;
    await pause(SHARE_PAUSE);
  }
}

function switchLanguage() {
  try {
    localStorage.setItem("darkroom.language", language === "en" ? "zh-CN" : "en");
  } catch {
    note(t("language_not_kept"));
  }
  location.reload();
}

/** The operator has chosen one for everybody who has not: this browser is among them from now on. */
on("usual-language", () => {
  try {
    localStorage.removeItem("darkroom.language");
  } catch { /* nothing was kept there */ }
  location.reload();
});

const gigabytes = (bytes) => (bytes / 2 ** 30).toFixed(bytes < 10 * 2 ** 30 ? 1 : 0).replace(/\.0$/, "");

function deviceText() {
  if (worker.state === "starting") return worker.eta ? t("ready_in_short", { time: about(worker.eta) }) : t("starting");
  if (worker.state === "restarting") return t("restarting");
  if (worker.state === "broken") return t("broken");
  const parts = [worker.device, worker.precision].filter(Boolean);
  if (worker.total) parts.push(t("memory_of", { used: gigabytes(worker.used ?? 0), total: gigabytes(worker.total) }));
  return parts.join(" · ");
}

function drawHeader() {
  if (!header.queue) return;
  const text = deviceText();
  if (header.device.textContent !== text) header.device.textContent = text;
  header.device.dataset.state = worker.state;
  header.device.title = worker.problem ?? "";
  header.operator.hidden = !worker.isOperator;
  const count = active().length + worker.others;
  fill(header.queue, el("span", { text: t("queue_count", { n: count }) }), el("span", { class: "caret", "aria-hidden": "true", text: "▾" }));
  if (isOpen(header.queueBox)) drawQueue();
}
on("jobs", drawHeader);

/** A line for each of one's own jobs that is not over, kept from one draw to the next, and how many others wait. */
function drawQueue() {
  const box = header.queueBox;
  const unfinished = jobsInOrder().filter((job) => !(job.state in LAST));
  const list = box.querySelector(".queue-list") ?? el("ul", { class: "queue-list" });
  const lines = unfinished.map((job) => {
    const line = [...list.children].find((child) => child.dataset.job === job.id) ?? queueLine(job);
    drawQueueLine(line, job);
    return line;
  });
  const had = list.contains(document.activeElement);
  if (lines.length !== list.children.length || lines.some((line, i) => list.children[i] !== line)) fill(list, ...lines);
  const others = worker.others ? t("queue_others", { n: worker.others }) : "";
  const key = `${lines.length > 0}/${others}`;
  if (box.dataset.key !== key) {
    box.dataset.key = key;
    fill(box, lines.length ? list : el("p", { class: "quiet", text: t("queue_empty") }), others ? el("p", { class: "quiet", text: others }) : null);
  }
  if (had && !box.contains(document.activeElement)) box.focus(); // its line is gone
}

function queueLine(job) {
  return el("li", { data: { job: job.id } },
    el("span", { class: "queue-picture" }),
    el("span", { class: "queue-text" },
      el("span", { class: "queue-prompt", text: titleOf(job) }),
      el("span", { class: "queue-state" })),
    el("button", { type: "button", class: "icon", text: "×", title: t("cancel"), "aria-label": t("cancel_job"), onclick: () => cancelJob(job.id) }));
}

function drawQueueLine(line, job) {
  const [picture, words] = line.children;
  const source = thumbOf(job);
  if (picture.dataset.source !== source) {
    picture.dataset.source = source;
    picture.style.backgroundImage = source ? `url("${source}")` : "";
  }
  const state = lineOf(job);
  if (words.lastElementChild.textContent !== state) words.lastElementChild.textContent = state;
}

function drawShare(share) {
  if (!share) return fill(header.shareBox, el("p", { class: "quiet", text: t("share_asking") }));
  const children = [];
  if (share.state === "open") {
    const code = el("div", { class: "qr", role: "img", "aria-label": t("share_qr") });
    code.innerHTML = share.qr; // drawn by our server from the address alone
    const address = el("input", { readonly: true, value: share.url, "aria-label": t("share_address"), onfocus: (event) => event.target.select() });
    children.push(code, address, copyButton(share.url), el("p", { class: "quiet", text: t("share_login") }));
  } else if (share.state === "failed") {
    children.push(el("p", { class: "sentence", text: share.message }), el("p", { class: "quiet", text: share.hint }));
  } else {
    children.push(el("p", { text: t(share.state === "opening" ? "share_opening" : "share_off") }));
    if (share.state === "off") children.push(el("code", { text: "python launch.py --share" }));
  }
  children.push(helpMark("parts", "share"));
  if (share.state !== "open") children.push(el("p", { class: "quiet", text: t("share_local", { address: location.origin }) }));
  fill(header.shareBox, ...children);
}

function copyButton(text) {
  const button = el("button", { type: "button", class: "solid", text: t("copy") });
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = t("copied");
    } catch {
      button.previousElementSibling?.select();
    }
  });
  return button;
}
