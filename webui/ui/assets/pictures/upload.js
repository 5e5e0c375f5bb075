// A place for a picture: choose, drop or paste one.

import { ApiError } from "../core/api.js";
import { on } from "../core/bus.js";
import { t } from "../core/language.js";
import { fillPart } from "../core/places.js";
import { form } from "../form/store.js";
import { showsThrough, storePicture, thumbnailOf, tooLarge } from "../form/stored_pictures.js";

const uploads = new Map(); // field → what its place on the page can do

fillPart("upload", (element) => {
  const find = (selector) => element.querySelector(selector);
  const { field } = find(".drop").dataset;
  const input = find("input");
  const [frame, picture, hint, clear, error, said] = [".drop-frame", ".drop-picture", ".drop-hint", ".drop-clear", ".drop-error", ".drop-said"].map(find);
  find(".drop-label").textContent = t(field);
  input.setAttribute("aria-label", t(field));
  hint.textContent = t("drop_hint");
  said.textContent = t("upload_transparent");
  clear.setAttribute("aria-label", t("remove_picture", { name: t(field) }));
  clear.title = t("remove");
  clear.querySelector("b").textContent = t("remove");

  function show() {
    const reference = form.values[field] || "";
    element.dataset.filled = reference ? "yes" : "";
    clear.hidden = !reference;
    picture.style.backgroundImage = reference ? `url("${thumbnailOf(reference)}")` : "";
    if (said.dataset.of === reference) return;
    said.dataset.of = reference;
    said.hidden = true;
    const tell = (isTransparent) => { if (said.dataset.of === reference) said.hidden = !isTransparent; };
    if (reference) showsThrough(reference).then(tell, () => tell(false)); // what cannot be had now, Generate says
  }

  function complain(message) {
    error.textContent = message;
    error.hidden = !message;
  }

  async function send(file) {
    complain("");
    if (!file) return;
    const problem = tooLarge(file);
    if (problem) return complain(problem);
    element.dataset.busy = "yes";
    const address = URL.createObjectURL(file);
    picture.style.backgroundImage = `url("${address}")`;
    try {
      form.set({ [field]: await storePicture(file) });
    } catch (failure) {
      if (!(failure instanceof ApiError)) throw failure;
      complain(failure.told);
    } finally {
      URL.revokeObjectURL(address);
      element.dataset.busy = "";
      input.value = "";
      show();
    }
  }

  input.addEventListener("change", () => send(input.files[0]));
  clear.addEventListener("click", (event) => { event.preventDefault(); complain(""); form.set({ [field]: "" }); input.focus(); });
  for (const name of ["dragenter", "dragover"]) frame.addEventListener(name, (event) => { event.preventDefault(); element.dataset.over = "yes"; });
  for (const name of ["dragleave", "drop"]) frame.addEventListener(name, () => { element.dataset.over = ""; });
  frame.addEventListener("drop", (event) => { event.preventDefault(); send(event.dataTransfer.files[0]); });
  uploads.set(field, { send, show, element });
  show();
});

on("values", ({ changed }) => { for (const [field, { show }] of uploads) if (changed.includes(field)) show(); });
on("show-field", (field) => requestAnimationFrame(() => uploads.get(field)?.element.scrollIntoView({ block: "nearest" })));

document.addEventListener("paste", (event) => {
  const file = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
  const places = { image_to_image: ["init_image"], style_transfer: ["content_image", "style_image"] }[form.task] ?? [];
  const place = places.find((field) => !form.values[field]) ?? places[0];
  if (!file || !place) return;
  event.preventDefault();
  uploads.get(place)?.send(file);
});
