// Settings out of a picture of any program: dropped on the prompt, pasted into it, or chosen from the history's menu; and
// out of a text that is pasted. A panel says what was found and what was not, and takes all of it back.

import { api } from "../core/api.js";
import { byId, el, fill } from "../core/dom.js";
import { t } from "../core/language.js";
import { hideNote, note, orNote } from "../core/note.js";
import { giveBack } from "../form/give_back.js";
import { form } from "../form/store.js";
import { tooLarge } from "../form/stored_pictures.js";
import { undoTo } from "../form/undo.js";
import { fieldOf, isWithin, typeOver } from "../gradio/boxes.js";

const INFOTEXT = /(^|\n|, )Steps: \d+,[^]*\b(Seed|Sampler|CFG scale): /;
const GRAPH = /^\s*\{[^]*"(class_type|widgets_values|request)"\s*:/;
const NAMED = 4; // of what is not known, in the headline
const SHOWN_CHARACTERS = 160;

/** The names of the first few things that are not known here. */
const namesOf = (unknown) => unknown.slice(0, NAMED).map((one) => one.name).join(t("list_comma")) + (unknown.length > NAMED ? " …" : "");

/** Asks what `body` (a form with a file, or {text}) says, and takes it over; false where it says nothing. */
async function inspect(body, sentence) {
  try {
    const found = await api("POST", "/api/inspect", body);
    if (found.source === "none" && !found.unknown.length) return false;
    if (found.source === "none") return note([...found.notes, t("inspect_unknown", { list: namesOf(found.unknown) })].join(" "));
    takeOver(found, sentence);
    return true;
  } catch (error) {
    note(error.told);
    return null;
  }
}

async function inspectFile(file) {
  if (tooLarge(file)) return note(tooLarge(file));
  note(t("inspect_busy"));
  const body = new FormData();
  body.append("file", file, "picture");
  if ((await inspect(body, "inspect_picture")) === false) note(t("inspect_none"));
}

function takeOver(found, sentence) {
  const before = { task: form.task, untouched: form.untouched, values: form.values };
  giveBack(found.settings);
  showFound(found, sentence, () => {
    form.setTask(before.task);
    undoTo(before.values).run();
    form.setUntouched(before.untouched);
  });
}

/** The panel: what was read, what was not, and the way back. It stays until it is closed. */
function showFound({ source, unknown, notes }, sentence, undo) {
  const box = byId("found") ?? document.body.appendChild(el("div", { id: "found", class: "dr", role: "region", "aria-label": t("inspect_panel") }));
  const from = document.activeElement;
  const close = () => { box.remove(); from?.focus?.({ preventScroll: true }); };
  const short = (text) => (text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text);
  const rows = unknown.flatMap((one) => [el("dt", { text: one.name }), el("dd", { text: short(one.text) })]);
  fill(
    box,
    el("p", { role: "status", text: [t(sentence, { source: t(`source_${source}`) }), unknown.length ? t("inspect_unknown", { list: namesOf(unknown) }) : notes.length ? "" : t("inspect_all")].join(" ") }),
    notes.length ? el("ul", {}, ...notes.map((text) => el("li", { text: short(text) }))) : null,
    rows.length ? el("details", {}, el("summary", { text: t("inspect_more", { n: unknown.length }) }), el("dl", {}, ...rows)) : null,
    el("div", { class: "found-buttons" },
      el("button", { type: "button", class: "link", text: t("undo"), onclick: () => { close(); undo(); } }),
      el("button", { type: "button", class: "link", text: t("close"), onclick: close })),
  );
  hideNote(); // the panel says more
}

/** For the menu beside the prompt: chooses a file, also without a mouse. */
export function readPictureButton(close) {
  const input = el("input", { type: "file", accept: "image/png,image/jpeg,image/webp", hidden: true, tabindex: "-1" });
  input.addEventListener("change", () => { close(); if (input.files[0]) inspectFile(input.files[0]); });
  return el("div", { class: "read-picture" }, input, el("button", { type: "button", class: "link", text: t("inspect_button"), onclick: () => input.click() }));
}

document.addEventListener("paste", async (event) => {
  const field = fieldOf(event.target);
  if (!field) return;
  const file = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
  if (file && form.task === "text_to_image") {
    event.preventDefault();
    inspectFile(file);
    return;
  }
  const text = event.clipboardData?.getData("text/plain") ?? "";
  if (!(INFOTEXT.test(text) || GRAPH.test(text))) return;
  event.preventDefault();
  event.stopPropagation();
  const box = event.target;
  const [start, end] = [box.selectionStart, box.selectionEnd];
  if (!(await inspect({ text }, "inspect_text"))) typeOver(box, start, end, text); // then it is a prompt like any other
}, true);

const overPrompt = (event) => isWithin(event.target, "prompt");
const bringsPicture = (event) => ["Files", "text/uri-list"].some((type) => event.dataTransfer?.types.includes(type));
for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    const box = overPrompt(event);
    document.documentElement.dataset.reading = box && bringsPicture(event) ? "yes" : "";
    if (box && bringsPicture(event)) event.preventDefault();
  });
}
for (const name of ["drop", "dragend"]) document.addEventListener(name, () => { document.documentElement.dataset.reading = ""; }, true);
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.documentElement.dataset.reading = ""; });

document.addEventListener("drop", async (event) => {
  if (!overPrompt(event) || !bringsPicture(event)) return;
  const [file] = event.dataTransfer.files;
  const address = event.dataTransfer.getData("text/uri-list").split("\n")[0];
  const ours = address && new URL(address, location.href);
  if (file) {
    event.preventDefault();
    inspectFile(file);
  } else if (ours?.origin === location.origin && ours.pathname.startsWith("/api/images/")) { // dragged off the stage
    event.preventDefault();
    await orNote(async () => inspectFile(await api("GET", ours.pathname)));
  }
});
