// The sheet Settings of whoever runs the program: all that counts for everybody. Each change is saved at once. Loaded when
// it is opened first.

import "../texts/late/en.js";
import { ApiError, api } from "../core/api.js";
import { on } from "../core/bus.js";
import { el, fill } from "../core/dom.js";
import { canOpen, closed, opened } from "../core/history.js";
import { t } from "../core/language.js";
import { orNote } from "../core/note.js";
import { hideSheet, showSheet } from "../core/overlays.js";
import { fillPart } from "../core/places.js";
import { helpMark } from "../parts/help_mark.js";
import { replaceRow, rowOf } from "./rows.js";

const SECTIONS = [
  ["models", ["extra_models_dir", "hub_token", "civitai_token", "mirror", "download_mb_per_second"]],
  ["memory", ["model_memory_gb", "idle_minutes"]],
  ["pictures", ["image_format", "file_names"]],
  ["page", ["sound", "language"]],
];
const parts = { sheet: null, body: null, close: null };
let isOpen = false;
const styled = new Promise((resolve) => {
  document.head.append(el("link", { rel: "stylesheet", href: new URL("../operator.css", import.meta.url).href, onload: resolve, onerror: resolve }));
});

fillPart("operator", (element) => {
  const close = el("button", { type: "button", class: "sheet-close plain", text: t("close"), onclick: closeSettings });
  const body = el("div", { class: "sheet-body" });
  const sheet = el("dialog", { class: "dr sheet operator", "aria-label": t("settings") },
    el("div", { class: "sheet-head" }, el("h2", { text: t("settings") }), helpMark("parts", "operator"), el("span", { class: "space" }), close), body);
  sheet.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault(); // the browser would close it without a word to us
    closeSettings();
  });
  Object.assign(parts, { sheet, body, close });
  element.append(sheet);
});

canOpen("operator", openSettings);
on("open-operator", openSettings);
on("checkpoints", () => { if (isOpen) void redrawFolders(); }); // one has come or gone

async function openSettings() {
  if (!parts.sheet || isOpen) return;
  isOpen = true;
  opened("operator", closeSettings);
  await styled;
  if (!isOpen) return;
  showSheet(parts.sheet, closeSettings, closeSettings);
  parts.close.focus();
  await load();
}

async function load() {
  let settings;
  try {
    settings = await api("GET", "/api/settings");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return fill(parts.body, el("p", { class: "sheet-empty", role: "alert", text: error.told }));
  }
  if (!isOpen || foldersRow()) return; // closed, or here by another call: what is typed by now stays
  fill(parts.body, el("div", { class: "operator-list" },
    el("p", { class: "quiet", text: t("operator_hint") }),
    ...SECTIONS.map(([name, settingNames]) => el("section", { "aria-labelledby": `operator_${name}` },
      el("h3", { id: `operator_${name}`, text: t(`operator_${name}`) }),
      ...settingNames.map((one) => rowOf(one, settings[one]))))));
}

const foldersRow = () => parts.body.querySelector("[data-setting=extra_models_dir]");

/** Nothing else, so that half a token stays in its field. */
async function redrawFolders() {
  if (!foldersRow()) return load();
  await orNote(async () => {
    const settings = await api("GET", "/api/settings");
    const row = foldersRow(); // none where the sheet has been closed meanwhile
    if (row) replaceRow(row, "extra_models_dir", settings.extra_models_dir);
  });
}

function closeSettings() {
  if (!isOpen) return;
  isOpen = false;
  hideSheet(parts.sheet);
  fill(parts.body); // half a token, too
  closed("operator");
}
