// One setting: its name, a line on what it does, and the control. What a flag or a variable sets is shown and says so.

import { emit } from "../core/bus.js";
import { byId, el, fill, isTouched } from "../core/dom.js";
import { goTo } from "../core/history.js";
import { language, t } from "../core/language.js";
import { note } from "../core/note.js";
import { save } from "./saving.js";
import { tokenOf } from "./tokens.js";

const WORDS = { png: "PNG", jpeg: "JPEG", webp: "WebP", en: "English", "zh-CN": "简体中文" };
const UNITS = { download_mb_per_second: "unit_mb_per_second", model_memory_gb: "unit_gb", idle_minutes: "unit_minutes" };

/** The row of the setting `name`, which is as `/api/settings` says. */
export function rowOf(name, setting) {
  const id = `setting_${name}`;
  const said = el("p", { class: "setting-said", role: "alert", hidden: true, id: `${id}_said` });
  const hint = el("p", { class: "quiet setting-hint", id: `${id}_hint` }, hintOf(name, setting), whyOf(setting));
  const control = el("div", { class: "setting-control", lang: language });
  const isGroup = setting.kind === "folders" || setting.kind === "token"; // of several controls with names of their own
  const title = el(isGroup ? "span" : "label", { class: "setting-name", id: `${id}_name`, for: isGroup ? null : id, text: t(id) });
  const row = el("div", { class: "setting", data: { setting: name } }, title, control, hint, said);
  const allow = () => {
    said.hidden = true;
    control.querySelector("[aria-invalid]")?.removeAttribute("aria-invalid");
  };
  const refuse = (text, isInvalid) => {
    said.textContent = text;
    said.hidden = false;
    if (!row.offsetParent) note(text); // the sheet has been closed
    if (isInvalid) control.querySelector("input, select")?.setAttribute("aria-invalid", "true");
  };
  const change = async (value) => {
    allow();
    const answer = await save(name, value, refuse);
    if (answer) replaceRow(row, name, answer);
    return answer;
  };
  fill(control, ...[controlOf(name, setting, id, { change, allow, refuse })].flat());
  return row;
}

/** Draws the row anew; where it has the focus, its control has it then. */
export function replaceRow(row, name, setting) {
  const hasFocus = row.contains(document.activeElement);
  row.replaceWith(rowOf(name, setting));
  if (hasFocus) byId(`setting_${name}`)?.focus({ preventScroll: true });
}

function hintOf(name, { mirror_with_token: host }) {
  return host ? t(`setting_${name}_hint_mirror`, { host }) : t(`setting_${name}_hint`);
}

/** Why it cannot be changed here, or what counts until it is. */
function whyOf({ above, otherwise }) {
  if (!above && !otherwise) return null;
  const text = above ? t(above.kind === "flag" ? "setting_by_flag" : "setting_by_variable", { name: above.name }) : t("setting_otherwise", { name: otherwise });
  return el("span", { class: "setting-why", text });
}

/** `change(value)` saves; `refuse(text, isInvalid)` says why that cannot be, and `allow()` no longer. */
function controlOf(name, setting, id, { change, allow, refuse }) {
  const shared = { id, "aria-describedby": `${id}_hint ${id}_said`, disabled: Boolean(setting.above) };
  switch (setting.kind) {
    case "folders": return foldersOf(setting);
    case "token": return tokenOf(name, setting, shared, change);
    case "number": return [whenLeft(numberOf(name, setting, shared), change, allow, refuse, (text) => (text === "" ? null : Number(text))), el("span", { class: "quiet", text: t(UNITS[name]) })];
    case "choice": return choiceOf(name, setting, shared, change);
    case "switch": return switchOf(setting, shared, change);
    default: return whenLeft(textOf(name, setting, shared), change, allow, refuse, (text) => text || null);
  }
}

/** Saved when the person leaves the field or presses Enter, which leaves the focus in it, but takes a phone's keyboard
 * away. */
function whenLeft(input, change, allow, refuse, valueOf) {
  const before = input.value;
  const leave = async () => {
    if (input.readOnly) return; // it is on its way
    if (input.validity.badInput) return refuse(t("setting_refused", { reason: t("setting_no_number") }), true);
    const text = input.value.trim();
    if (text === before) return allow();
    input.readOnly = true;
    input.readOnly = Boolean(await change(valueOf(text)));
  };
  input.addEventListener("change", () => void leave());
  input.addEventListener("blur", () => { if (input.validity.badInput) void leave(); }); // from "" to what is no number is no change to the browser
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    if (isTouched()) input.blur();
    else void leave();
  });
  return input;
}

function numberOf(name, { value, default: usual, limits }, shared) {
  return el("input", { ...shared, type: "number", value: value === null ? "" : String(value), min: limits.minimum ?? limits.exclusiveMinimum, max: limits.maximum, step: "any", inputmode: "decimal", placeholder: usual === null ? t(`setting_${name}_usual`) : String(usual) });
}

function textOf(name, { value, default: usual }, shared) {
  return el("input", { ...shared, type: name === "mirror" ? "url" : "text", value: value ?? "", placeholder: usual ?? "huggingface.co", spellcheck: "false", autocomplete: "off", autocapitalize: "none" });
}

function choiceOf(name, { value, choices }, shared, change) {
  const select = el("select", shared, ...choices.map((one) => el("option", { value: one, text: WORDS[one] ?? t(`setting_${name}_${one}`), selected: one === value })));
  select.addEventListener("change", async () => {
    if (await change(select.value)) emit(name === "language" ? "usual-language" : "usual-format", select.value);
  });
  return select;
}

function switchOf({ value }, shared, change) {
  const box = el("input", { ...shared, type: "checkbox", role: "switch", checked: value });
  box.addEventListener("change", async () => {
    if (await change(box.checked)) {
      document.documentElement.dataset.sound = box.checked ? "yes" : "no";
      if (box.checked) emit("chime"); // what it will be
    } else box.checked = !box.checked;
  });
  return box;
}

/** The folders of other programs; they are added and removed where the models are. */
function foldersOf({ value, given }) {
  const lines = [...given.map((path) => [path, t("setting_by_flag", { name: "--extra-models-dir" })]), ...value.map((path) => [path, null])];
  return [
    lines.length ? el("ul", { class: "setting-folders" }, ...lines.map(([path, why]) => el("li", {}, el("span", { text: path }), why ? el("span", { class: "quiet", text: why }) : null))) : el("span", { class: "quiet", text: t("setting_no_folders") }),
    el("button", { type: "button", class: "plain", id: "setting_extra_models_dir", text: t("setting_folders_change"), onclick: () => void goTo("model", "folders") }),
  ];
}
