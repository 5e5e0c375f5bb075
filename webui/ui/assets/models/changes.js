// What the operator does with a model: another name, the trash and back, its folder on the screen.

import { api } from "../core/api.js";
import { el } from "../core/dom.js";
import { t } from "../core/language.js";
import { note, orNote } from "../core/note.js";
import { askForCheckpoints } from "../form/checkpoints.js";
import { form } from "../form/store.js";

export const addressOf = (id) => `/api/models/${id.split("/").map(encodeURIComponent).join("/")}`;

/** A field for another name; `changed` hears of the model's id from then on. */
export function renameForm(model, changed, close) {
  const input = el("input", { type: "text", "aria-label": t("model_new_name"), maxlength: 200, required: true, autocomplete: "off", spellcheck: "false", value: model.id.split("/").at(-1) });
  const said = el("p", { class: "model-said", role: "alert", hidden: true });
  const save = async (event) => {
    event.preventDefault();
    said.hidden = true;
    try {
      const { id } = await api("PATCH", addressOf(model.id), { name: input.value });
      if (model.kind === "checkpoint") await askForCheckpoints(form.values.checkpoint === model.id ? id : null);
      await changed(id);
      note(t("model_renamed", { name: input.value }));
    } catch (error) {
      said.textContent = error.told ?? String(error);
      said.hidden = false;
      input.focus();
    }
  };
  const box = el("form", { class: "model-rename", onsubmit: (event) => void save(event) }, input,
    el("button", { type: "submit", class: "solid", text: t("model_rename_save") }),
    el("button", { type: "button", class: "plain", text: t("cancel"), onclick: close }), said);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { event.stopPropagation(); close(); }
  });
  return { box, input };
}

/** Into the trash, with Undo. */
export async function deleteModel(model, changed) {
  const isDone = await orNote(() => api("DELETE", addressOf(model.id)));
  if (!isDone) return;
  await afterwards(model, changed);
  note(t("model_deleted", { name: model.name }), { text: t("undo"), run: () => void restoreModel(model, changed) });
}

export async function restoreModel(model, changed) {
  if (await orNote(() => api("POST", `${addressOf(model.id)}/restore`))) await afterwards(model, changed);
}

async function afterwards(model, changed) {
  if (model.kind === "checkpoint") await askForCheckpoints();
  await changed(null);
}

/** On the screen of the machine that runs the program; elsewhere its path is said. */
export async function showInFolder(model) {
  await orNote(async () => {
    const { path, shown } = await api("POST", `${addressOf(model.id)}/show`);
    note(shown ? t("model_shown") : path);
  });
}
