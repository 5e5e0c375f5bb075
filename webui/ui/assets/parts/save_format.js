// In which format pictures are saved: a choice beside Save, kept in this browser, the same on the stage and in the gallery.

import { look } from "../core/api.js";
import { el } from "../core/dom.js";
import { kept } from "../core/kept.js";
import { t } from "../core/language.js";
import { note } from "../core/note.js";

const SAVE_FORMATS = { png: ".png", jpeg: ".jpg", webp: ".webp" };
export const saveFormat = () => (kept.get("save_format") in SAVE_FORMATS ? kept.get("save_format") : "png");

/** Makes `link` save `picture` in the chosen format, and follow the choice. */
export function savesPicture(link, picture) {
  if (!link.picture) link.addEventListener("click", () => sayLeftOut(link.href));
  link.picture = picture;
  const form = saveFormat();
  link.href = form === "png" ? picture.url : `${picture.url}?format=${form}`;
  link.download = `darkroom-${picture.seed ?? picture.id}${SAVE_FORMATS[form]}`;
  link.classList.add("save-link");
  return link;
}

/** Says it where a picture's texts have no room in the file that is being saved. */
async function sayLeftOut(address) {
  const answer = await look(address); // the saving itself says what fails
  if (answer?.headers.get("Darkroom-Left-Out")) note(t("texts_left_out"));
}

/** The choice itself; each one on the page shows the same. */
export function formatPicker() {
  const options = Object.keys(SAVE_FORMATS).map((form) => el("option", { value: form, text: form === "webp" ? "WebP" : form.toUpperCase() }));
  const picker = el("select", { class: "save-format", "aria-label": t("save_format"), title: t("save_format_hint"), onchange: () => chooseFormat(picker.value) }, ...options);
  picker.value = saveFormat();
  return picker;
}

function chooseFormat(form) {
  kept.set("save_format", form);
  for (const picker of document.querySelectorAll(".save-format")) picker.value = form;
  for (const link of document.querySelectorAll(".save-link")) if (link.hasAttribute("href")) savesPicture(link, link.picture);
}
