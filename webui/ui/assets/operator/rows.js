// One setting: its name, a line on what it does, and the control. What a flag or a variable sets is shown and says so.

import { emit } from "../core/bus.js";
import { el, fill } from "../core/dom.js";
import { goTo } from "../core/history.js";
import { language, t } from "../core/language.js";
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
  const change = async (value) => {
    const answer = await save(name, value, said);
    if (!answer) return null;
    row.replaceWith(rowOf(name, answer));
    return answer;
  };
  fill(control, ...[controlOf(name, setting, id, change)].flat());
  return row;
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

function controlOf(name, setting, id, change) {
  const shared = { id, "aria-describedby": `${id}_hint ${id}_said`, disabled: Boolean(setting.above) };
  switch (setting.kind) {
    case "folders": return foldersOf(setting);
    case "token": return tokenOf(name, setting, shared, change);
    case "number": return [numberOf(name, setting, shared, change), el("span", { class: "quiet", text: t(UNITS[name]) })];
    case "choice": return choiceOf(name, setting, shared, change);
    case "switch": return switchOf(setting, shared, change);
    default: return textOf(name, setting, shared, change);
  }
}

/** Saved when the person leaves the field or presses Enter; the focus stays where it goes. */
function whenLeft(input, before, change, valueOf) {
  input.addEventListener("change", () => {
    if (input.value.trim() !== before) void change(valueOf(input.value.trim()));
  });
  input.addEventListener("keydown", (event) => { if (event.key === "Enter") input.blur(); });
  return input;
}

function numberOf(name, { value, default: usual, limits }, shared, change) {
  const before = value === null ? "" : String(value);
  const input = el("input", { ...shared, type: "number", value: before, min: limits.minimum ?? limits.exclusiveMinimum, max: limits.maximum, step: "any", inputmode: "decimal", placeholder: usual === null ? t(`setting_${name}_usual`) : String(usual) });
  return whenLeft(input, before, change, (text) => (text === "" ? null : Number(text)));
}

function textOf(name, { value, default: usual }, shared, change) {
  const before = value ?? "";
  const input = el("input", { ...shared, type: name === "mirror" ? "url" : "text", value: before, placeholder: usual ?? "huggingface.co", spellcheck: "false", autocomplete: "off", autocapitalize: "none" });
  return whenLeft(input, before, change, (text) => text || null);
}

function choiceOf(name, { value, choices }, shared, change) {
  const select = el("select", shared, ...choices.map((one) => el("option", { value: one, text: WORDS[one] ?? t(`setting_${name}_${one}`), selected: one === value })));
  select.addEventListener("change", async () => {
    if (await change(select.value)) emit(name === "language" ? "usual-language" : "usual-format", select.value);
    document.getElementById(shared.id)?.focus();
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
    document.getElementById(shared.id)?.focus();
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
