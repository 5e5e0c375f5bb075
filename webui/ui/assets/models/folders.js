// Where models lie: our folder, those of other programs, and the trash.

import { api } from "../core/api.js";
import { el, fill } from "../core/dom.js";
import { language, t } from "../core/language.js";
import { orNote } from "../core/note.js";
import { askForCheckpoints } from "../form/checkpoints.js";
import { restoreModel } from "./changes.js";
import { bytes, models } from "./state.js";

/** The folders. `changed()` loads anew. */
export function drawFolders(box, back, changed) {
  const { places } = models;
  const title = el("h3", { text: t("model_folders"), tabindex: "-1" });
  const lines = places.places.map((place) => el("li", {},
    el("span", { class: "folder-name", text: place.name }),
    el("span", { class: "quiet", text: place.is_there ? place.path ?? "" : t("folder_gone", { path: place.path ?? place.name }) }),
    place.can_be_removed && places.is_operator ? el("button", { type: "button", class: "link", text: t("remove"), "aria-label": `${t("remove")}: ${place.name}`, onclick: () => void change("DELETE", `/api/model-places/${encodeURIComponent(place.name)}`, undefined, changed) }) : null));
  fill(box,
    el("button", { type: "button", class: "plain one-back", text: t("back"), onclick: back }),
    title,
    el("p", { class: "quiet", text: t("model_folders_hint") }),
    el("ul", { class: "folder-list" }, el("li", {}, el("span", { class: "folder-name", text: t("folder_own") }), el("span", { class: "quiet", text: places.path ?? "" })), ...lines),
    places.is_operator && places.noticed.length ? noticed(places.noticed, changed) : null,
    places.is_operator ? addForm(changed) : el("p", { class: "quiet", text: t("folder_operator") }));
  return title;
}

/** Folders in the usual places that nobody has added yet. */
function noticed(paths, changed) {
  return el("div", {}, el("h4", { text: t("folder_noticed") }), el("ul", { class: "folder-list" }, ...paths.map((path) => el("li", {},
    el("span", { class: "folder-name", text: path }),
    el("button", { type: "button", class: "plain", text: t("folder_use"), "aria-label": `${t("folder_use")}: ${path}`, onclick: () => void change("POST", "/api/model-places", { path }, changed) })))));
}

function addForm(changed) {
  const input = el("input", { type: "text", required: true, maxlength: 4096, placeholder: "/home/…/ComfyUI", "aria-label": t("folder_path"), spellcheck: "false", autocomplete: "off" });
  const said = el("p", { class: "model-said", role: "alert", hidden: true });
  const add = async (event) => {
    event.preventDefault();
    said.hidden = true;
    try {
      await api("POST", "/api/model-places", { path: input.value.trim() });
      await askForCheckpoints();
      await changed();
    } catch (error) {
      said.textContent = error.told ?? String(error);
      said.hidden = false;
      input.focus();
    }
  };
  return el("form", { class: "folder-add", onsubmit: (event) => void add(event) },
    el("h4", { text: t("folder_have") }), input, el("button", { type: "submit", class: "solid", text: t("folder_add") }), said);
}

async function change(method, address, body, changed) {
  if (!(await orNote(() => api(method, address, body)))) return;
  await askForCheckpoints();
  await changed();
}

/** What was deleted, the last first. */
export async function drawTrash(box, back, changed) {
  const title = el("h3", { text: t("model_trash"), tabindex: "-1" });
  const head = [el("button", { type: "button", class: "plain one-back", text: t("back"), onclick: back }), title];
  fill(box, ...head);
  let found = [];
  if (!(await orNote(async () => { found = await api("GET", "/api/model-trash"); }))) return title;
  const when = (seconds) => new Date(seconds * 1000).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
  const line = (model) => el("li", {},
    el("span", { class: "folder-name", text: model.name }),
    el("span", { class: "quiet", text: [t(`kind_${model.kind}`), bytes(model.size_bytes), when(model.deleted)].join(" · ") }),
    el("button", { type: "button", class: "link", text: t("model_restore"), "aria-label": `${t("model_restore")}: ${model.name}`, onclick: () => void restoreModel(model, changed) }));
  if (!found.length) return fill(box, ...head, el("p", { class: "quiet", text: t("model_trash_empty") })), title;
  fill(box, ...head,
    el("p", { class: "quiet", text: t("model_trash_hint", { size: bytes(models.places.trash_bytes) }) }),
    el("ul", { class: "folder-list" }, ...found.map(line)),
    emptyButton(changed));
  return title;
}

/** Asks a second time, since this cannot be taken back. */
function emptyButton(changed) {
  const button = el("button", { type: "button", class: "plain", text: t("model_trash_clear") });
  button.addEventListener("click", async () => {
    if (button.dataset.sure) return void (await change("DELETE", "/api/model-trash", undefined, changed));
    button.dataset.sure = "yes";
    button.textContent = t("model_trash_sure", { size: bytes(models.places.trash_bytes) });
  });
  return button;
}
