// Two pictures of the gallery, one over the other with a divider between them, and the settings in which they differ.

import { emit } from "../core/bus.js";
import { el } from "../core/dom.js";
import { closed, opened } from "../core/history.js";
import { t } from "../core/language.js";
import { PROMPTS, fields } from "../form/fields.js";
import { shownValue } from "../form/shown_value.js";
import { isAtOnce } from "../form/work.js";
import { hasScore, scoreText } from "../jobs/pictures.js";
import { coverGallery, gallery } from "./state.js";

const COMPARED_AS_MADE = ["seed", "width", "height"]; // the picture itself says them
const comparing = { box: null };

export function openCompare(first, second) {
  closeCompare();
  const back = el("button", { type: "button", class: "plain one-back", text: t("back"), onclick: closeCompare });
  const swap = el("button", { type: "button", class: "plain", text: t("compare_swap"), onclick: () => { openCompare(second, first); comparing.box.querySelector(".compare-swap").focus(); } });
  swap.classList.add("compare-swap");
  comparing.box = el("div", { class: "sheet-compare", role: "group", "aria-label": t("compare") },
    compareFrame(first, second),
    el("div", { class: "one-side" }, el("div", { class: "one-buttons" }, back, swap), compareTable(first, second)));
  gallery.sheet.append(comparing.box);
  coverGallery("compare", true);
  opened("compare", closeCompare);
  comparing.box.querySelector("input").focus();
}

export const isComparing = () => comparing.box !== null;

export function closeCompare() {
  if (!comparing.box) return;
  comparing.box.remove();
  comparing.box = null;
  coverGallery("compare", false);
  closed("compare");
  emit("compare-closed");
}

/** Left of the divider lies the first picture, right of it the second; mouse, finger and arrow keys move it. */
function compareFrame(first, second) {
  const image = (picture, side) => {
    const node = el("img", { src: picture.url, alt: `${t(side)}: ${picture.request?.prompt || t("picture")}`, draggable: "false" });
    node.addEventListener("error", () => frame.append(el("p", { class: "broken-text", role: "alert", text: t("picture_broken") })), { once: true });
    return node;
  };
  const input = el("input", { type: "range", min: "0", max: "100", step: "1", value: "50", "aria-label": t("compare_divider") });
  const frame = el("div", { class: "compare-frame" });
  const move = () => {
    frame.style.setProperty("--at", `${input.value}%`);
    input.setAttribute("aria-valuetext", t("compare_at", { n: input.value }));
  };
  input.addEventListener("input", move);
  frame.append(image(second, "compare_right"), image(first, "compare_left"), input, el("span", { class: "compare-line", "aria-hidden": "true" }));
  move();
  return el("div", { class: "one-picture" }, frame);
}

/** What each setting was, in the request as it was run; of a list that says nothing, nothing. */
function comparedSettings(picture) {
  const { task, ...request } = picture.request ?? {};
  const found = new Map(task ? [["task", t(task)]] : []);
  for (const [name, value] of Object.entries(request)) {
    if (fields[name]?.is_told !== false && !COMPARED_AS_MADE.includes(name)) found.set(name, toldValue(name, value));
  }
  if (!isAtOnce(picture.request ?? {})) found.set("seed", String(picture.seed));
  found.set("pixels", `${picture.width} × ${picture.height}`);
  if (hasScore(picture)) found.set("score", scoreText(picture));
  return found;
}

/** A value as text; references of pictures and prompts stay as they are, and nothing is "". */
function toldValue(name, value) {
  const isNothing = value === null || value === undefined || value === "" || (typeof value === "object" && Object.keys(value).length === 0);
  if (isNothing) return "";
  return fields[name]?.kind === "picture" || PROMPTS.includes(name) ? value : shownValue(name, value);
}

function compareTable(first, second) {
  const [left, right] = [first, second].map(comparedSettings);
  const isOneTask = first.request?.task === second.request?.task;
  const names = [...new Set([...left.keys(), ...right.keys()])].filter((name) => isOneTask || (left.has(name) && right.has(name))); // what only one task has cannot differ
  const isAlikeIn = (name) => (left.get(name) ?? "") === (right.get(name) ?? "");
  const different = names.filter((name) => !isAlikeIn(name));
  const same = names.filter((name) => isAlikeIn(name) && left.get(name));
  const row = (name) => el("tr", {}, el("th", { scope: "row", text: t(name) }), ...[[left, right], [right, left]].map(([own, other]) => el("td", {}, ...comparedValue(name, own.get(name), other.get(name)))));
  const table = el("table", { class: "compare-table" },
    el("thead", {}, el("tr", {}, el("th", { scope: "col", text: t("compare_setting") }), el("th", { scope: "col", text: t("compare_left") }), el("th", { scope: "col", text: t("compare_right") }))),
    el("tbody", {}, ...different.map(row)));
  const list = el("dl", {}, ...same.flatMap((name) => [el("dt", { text: t(name) }), el("dd", {}, ...comparedValue(name, left.get(name), left.get(name)))]));
  return el("div", { class: "compare-said" },
    el("p", { text: different.length ? t("compare_different", { n: different.length }) : t("compare_no_difference") }),
    different.length ? table : null,
    el("details", {}, el("summary", { text: t("compare_same", { n: same.length }) }), list));
}

/** A value as the page shows it; of a text, the words that the other one has not are marked. */
function comparedValue(name, value, other) {
  if (!value) return ["–"];
  if (value.startsWith("sha256:")) return [el("img", { class: "compare-upload", src: `/api/images/${value}?size=128`, alt: t(name), loading: "lazy" })];
  if (!PROMPTS.includes(name)) return [value];
  const known = new Set(wordsOf(other ?? ""));
  return wordsOf(value).map((word) => (known.has(word) || !word.trim() ? word : el("mark", { text: word })));
}

/** Words and what lies between them; of scripts without spaces, signs. */
const wordsOf = (text) => text.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{N}]+|[^\p{L}\p{N}]+/gu) ?? [];
