// A place for a picture: choose, drop or paste one. It goes to POST /api/images; the value is its reference.

const pictureSizes = new Map(Object.entries(kept.get("picture_sizes", {})));
const uploads = new Map();
const LIMIT_BYTES = 64 * 2 ** 20;

darkroom.upload = (element, props, trigger, watch, field) => {
  const find = (selector) => element.querySelector(selector);
  const input = find("input");
  const [frame, picture, hint, clear, error, said] = [".drop-frame", ".drop-picture", ".drop-hint", ".drop-clear", ".drop-error", ".drop-said"].map(find);
  find(".drop-label").textContent = t(field);
  input.setAttribute("aria-label", t(field));
  hint.textContent = t("drop_hint");
  said.textContent = t("upload_transparent");
  clear.setAttribute("aria-label", t("remove_picture", { name: t(field) }));
  clear.title = t("remove");

  function show() {
    const reference = props.value || "";
    element.dataset.filled = reference ? "yes" : "";
    clear.hidden = !reference;
    picture.style.backgroundImage = reference ? `url("${thumbnailOf(reference)}")` : "";
    if (said.dataset.of === reference) return;
    said.dataset.of = reference;
    said.hidden = true;
    const tell = (isTransparent) => { if (said.dataset.of === reference) said.hidden = !isTransparent; };
    if (reference) showsThrough(reference).then(tell, () => tell(false)); // what cannot be had now, Generate says
  }

  function setValue(reference) {
    props.value = reference;
    show();
    trigger("change");
  }

  function complain(message) {
    error.textContent = message;
    error.hidden = !message;
  }

  async function send(file) {
    complain("");
    if (!file) return;
    if (file.size > LIMIT_BYTES) return complain(t("file_too_large", { megabytes: Math.ceil(file.size / 2 ** 20), limit: 64 }));
    element.dataset.busy = "yes";
    const local = URL.createObjectURL(file);
    picture.style.backgroundImage = `url("${local}")`;
    const form = new FormData();
    form.append("file", file, file.name || "picture");
    try {
      const stored = await api("POST", "/api/images", form);
      localPictures.set(stored.id, local);
      pictureSizes.set(stored.id, { width: stored.width, height: stored.height });
      kept.set("picture_sizes", Object.fromEntries([...pictureSizes].slice(-60)));
      setValue(stored.id);
    } catch (failure) {
      URL.revokeObjectURL(local);
      complain([failure.message, failure.hint].filter(Boolean).join(" "));
      show();
    } finally {
      element.dataset.busy = "";
      input.value = "";
    }
  }

  input.addEventListener("change", () => send(input.files[0]));
  clear.addEventListener("click", (event) => { event.preventDefault(); complain(""); setValue(""); input.focus(); });
  for (const name of ["dragenter", "dragover"]) frame.addEventListener(name, (event) => { event.preventDefault(); element.dataset.over = "yes"; });
  for (const name of ["dragleave", "drop"]) frame.addEventListener(name, () => { element.dataset.over = ""; });
  frame.addEventListener("drop", (event) => { event.preventDefault(); send(event.dataTransfer.files[0]); });
  watch("value", show);
  uploads.set(field, { send, setValue, isEmpty: () => !props.value, element });
  show();
};

/** Whether anything shows through a stored picture, as far as can be seen of it when it is small. */
async function showsThrough(reference) {
  const answer = await fetch(`/api/images/${encodeURIComponent(reference)}?size=128`);
  if (!answer.ok) return false;
  const image = await createImageBitmap(await answer.blob());
  const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, image.width, image.height).data.some((value, i) => i % 4 === 3 && value < 255);
}

/** Uploads of this page show at once; those of an earlier one are asked for by their reference. */
const localPictures = new Map();
const thumbnailOf = (reference) => localPictures.get(reference) ?? `/api/images/${encodeURIComponent(reference)}?size=256`;

document.addEventListener("paste", (event) => {
  const file = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
  const places = { image_to_image: ["init_image"], style_transfer: ["content_image", "style_image"] }[task] ?? [];
  const place = places.find((field) => uploads.get(field)?.isEmpty()) ?? places[0];
  if (!file || !place) return;
  event.preventDefault();
  uploads.get(place)?.send(file);
});

/** A finished picture becomes an input: its pixels are stored as an upload and put into `field` of `tab`. */
async function usePicture(picture, field, tab) {
  try {
    const blob = await (await fetch(picture.url)).blob();
    byId(`tab_${tab}-button`)?.click();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await uploads.get(field)?.send(new File([blob], "picture.png", { type: blob.type }));
    uploads.get(field)?.element.scrollIntoView({ block: "nearest" });
  } catch {
    note(t("error_no_answer"));
  }
}
