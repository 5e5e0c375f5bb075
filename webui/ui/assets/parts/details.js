// What made a picture, in words.

import { emit } from "../core/bus.js";
import { el, fill } from "../core/dom.js";
import { given } from "../core/given.js";
import { t } from "../core/language.js";
import { note } from "../core/note.js";
import { FOLDED, PICTURED, STYLED, fields, order } from "../form/fields.js";
import { giveBack } from "../form/give_back.js";
import { shownValue } from "../form/shown_value.js";
import { STYLE_LISTS } from "../form/style_lists.js";
import { undoOffer } from "../form/undo.js";
import { isAtOnce } from "../form/work.js";
import { scoreRows } from "./score.js";

/** What made a picture, as a list of names and values. */
export function drawDetails(box, request, picture) {
  const rows = [];
  const unasked = [...FOLDED, ...PICTURED, ...STYLED];
  const add = (name, value) => rows.push(el("dt", { text: name }), el("dd", { text: value }));
  if (request) {
    add(t("task"), t(request.task));
    for (const [name, value] of Object.entries(request)) {
      if (fields[name]?.is_told === false || fields[name]?.kind === "picture" || value === null || value === "" || value.length === 0 || name === "seed") continue;
      if (picture && (name === "width" || name === "height")) continue;
      if (value === given.defaults[name] && (unasked.includes(name) || !order.includes(name))) continue; // nobody asked for it
      if (name in STYLE_LISTS && !STYLE_LISTS[name](value)) continue;
      if ((name === "num_images" && value === 1) || (name === "keep_best" && value === 0)) continue;
      add(t(name), shownValue(name, value));
    }
  }
  if (picture) {
    if (!isAtOnce(request ?? {})) add(t("seed"), String(picture.seed));
    for (const [name, value] of scoreRows(request, picture)) add(name, value);
    add(t("pixels"), `${picture.width} × ${picture.height}`);
  }
  const use = request && el("button", { type: "button", class: "solid", text: t("use_settings"), onclick: () => {
    giveBack(picture ? { ...request, seed: picture.seed } : request);
    emit("settings-given-back");
    note(t(request.branch_from || request.stop_after ? "settings_without_step" : "settings_given_back"), undoOffer());
  } });
  fill(box, el("dl", {}, ...rows), use);
}
