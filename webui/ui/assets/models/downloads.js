// The downloads as lines: how far each is, how fast, and what can be done with it. A line stays while it lasts, so that
// the focus does, too.

import { el, fill, setText } from "../core/dom.js";
import { about, t } from "../core/language.js";
import { bytes } from "./state.js";

const ENDED = ["finished", "failed", "cancelled"];

/** `change(method, address)` does something with one. */
export function drawDownloads(box, downloads, change) {
  const shown = downloads.filter(({ state }) => state !== "cancelled");
  if (!shown.length) return fill(box);
  const list = box.querySelector("ul") ?? el("ul", { class: "folder-list download-list" });
  const lines = shown.map((download) => [...list.children].find(({ dataset }) => dataset.id === download.id) ?? line(download));
  lines.forEach((node, at) => drawLine(node, shown[at], change));
  if (lines.length !== list.children.length || lines.some((node, at) => list.children[at] !== node)) fill(list, ...lines);
  if (!list.isConnected) fill(box, el("h3", { text: t("get_downloads") }), list);
}

function line({ id, name }) {
  return el("li", { data: { id, state: "" } },
    el("span", { class: "folder-name", text: name }), el("span", { class: "quiet download-told" }),
    el("progress", { max: 1, "aria-label": name }), el("span", { class: "download-buttons" }));
}

function drawLine(node, download, change) {
  const [, told, progress, buttons] = node.children;
  setText(told, toldOf(download));
  told.classList.toggle("model-said", download.state === "failed");
  progress.hidden = ENDED.includes(download.state);
  progress.value = download.bytes_total ? download.bytes_done / download.bytes_total : 0;
  if (node.dataset.state === download.state) return;
  node.dataset.state = download.state;
  const had = buttons.contains(document.activeElement);
  fill(buttons, ...buttonsOf(download, change));
  if (had) buttons.firstElementChild.focus({ preventScroll: true });
}

function buttonsOf({ id, name, state }, change) {
  const address = `/api/models/downloads/${encodeURIComponent(id)}`;
  const button = (text, method, end = "") => el("button", { type: "button", class: "link", text: t(text), "aria-label": `${t(text)}: ${name}`, onclick: () => void change(method, address + end) });
  const last = button(state === "finished" ? "download_forget" : "cancel", "DELETE"); // of one that failed, nothing stays
  if (["waiting", "running"].includes(state)) return [button("download_pause", "POST", "/pause"), last];
  if (["paused", "failed"].includes(state)) return [button("download_resume", "POST", "/resume"), last];
  return [last];
}

function toldOf(download) {
  const { state, position, bytes_done: done, bytes_total: total, bytes_per_second: speed, seconds_left: left, problem, error } = download;
  const part = t("download_part", { done: bytes(done), total: bytes(total) });
  if (state === "failed") return [error?.message, error?.hint].filter(Boolean).join(" ");
  if (state === "finished") return t("download_here", { size: bytes(total) });
  if (state === "paused") return `${t("download_paused")} · ${part}`;
  if (state === "waiting") return t("download_waiting", { n: position });
  return [part, speed ? t("download_speed", { size: bytes(speed) }) : null, left === null ? null : t("download_left", { time: about(left) }), problem?.message].filter(Boolean).join(" · ");
}
