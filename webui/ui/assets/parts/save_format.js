// In which format pictures are saved: a choice beside Save, kept in this browser, the same on the stage and in the gallery.

import { look } from "../core/api.js";
import { on } from "../core/bus.js";
import { el } from "../core/dom.js";
import { kept } from "../core/kept.js";
import { t } from "../core/language.js";
import { note } from "../core/note.js";

const SAVE_FORMATS = { png: "PNG", jpeg: "JPEG", webp: "WebP" };
const known = (form) => (form in SAVE_FORMATS ? form : null);

/** The person's choice, or what is usual here. */
export const saveFormat = () => known(kept.get("save_format")) ?? known(document.documentElement.dataset.saveFormat) ?? "png";

/** Makes `link` save `picture` in the chosen format, and follow the choice. The server says what the file is called. */
export function savesPicture(link, picture) {
  if (!link.picture) link.addEventListener("click", () => sayLeftOut(link.href));
  link.picture = picture;
  const form = saveFormat();
  link.href = `${picture.url}?download=true${form === "png" ? "" : `&format=${form}`}`;
  link.download = "";
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
  const options = Object.entries(SAVE_FORMATS).map(([form, text]) => el("option", { value: form, text }));
  const picker = el("select", { class: "save-format", "aria-label": t("save_format"), title: t("save_format_hint"), onchange: () => chooseFormat(picker.value) }, ...options);
  picker.value = saveFormat();
  return picker;
}

/** The operator has chosen one for everybody who has not: this browser is among them from now on. */
on("usual-format", (form) => {
  document.documentElement.dataset.saveFormat = form;
  chooseFormat(null);
});

function chooseFormat(form) {
  kept.set("save_format", form);
  for (const picker of document.querySelectorAll(".save-format")) picker.value = saveFormat();
  for (const link of document.querySelectorAll(".save-link")) if (link.hasAttribute("href")) savesPicture(link, link.picture);
}
