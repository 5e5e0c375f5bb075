// A token: whether there is one, and a field for another. What it is never comes back from the server.

import { el, fill } from "../core/dom.js";
import { t } from "../core/language.js";

/** `shared` are the attributes of every control; `change(value)` saves. */
export function tokenOf(name, { is_set: isSet, above }, shared, change) {
  const box = el("div", { class: "setting-token", role: "group", "aria-labelledby": `${shared.id}_name` });
  if (above) return fill(box, el("span", { class: "token-set", text: t("token_set") })), box;
  if (isSet) showSet(box, name, shared, change);
  else showField(box, name, shared, change, null);
  return box;
}

function showSet(box, name, shared, change) {
  const buttons = [["token_replace", () => { showField(box, name, shared, change, () => showSet(box, name, shared, change)); box.querySelector("input").focus(); }],
    ["remove", () => void change(null)]];
  fill(box, el("span", { class: "token-set", text: t("token_set") }), ...buttons.map(([key, onclick], at) =>
    el("button", { type: "button", class: "plain", id: at ? null : shared.id, text: t(key), "aria-label": `${t(key)}: ${t(`setting_${name}`)}`, onclick })));
}

function showField(box, name, shared, change, back) {
  // "off" would not keep a password manager from filling in the login of this page: a password field alone is one to it.
  const input = el("input", { ...shared, type: "password", required: true, autocomplete: "new-password", spellcheck: "false", maxlength: 500, "aria-label": t(`setting_${name}`), "data-1p-ignore": "", "data-lpignore": "true" });
  const submit = async (event) => {
    event.preventDefault();
    if (!await change(input.value)) input.focus();
  };
  fill(box, el("form", { class: "token-form", autocomplete: "off", onsubmit: (event) => void submit(event) }, input,
    el("button", { type: "submit", class: "plain", text: t("setting_save") , "aria-label": `${t("setting_save")}: ${t(`setting_${name}`)}` }),
    back ? el("button", { type: "button", class: "plain", text: t("cancel"), onclick: () => { back(); document.getElementById(shared.id)?.focus(); } }) : null));
}
