// Pictures that go in: they are sent to `POST /api/images`, and the form keeps their references.

import { api } from "../core/api.js";
import { emit } from "../core/bus.js";
import { kept } from "../core/kept.js";
import { t } from "../core/language.js";
import { orNote } from "../core/note.js";
import { form } from "./store.js";

const LIMIT_MEGABYTES = 64;
const KEPT_SIZES = 60;
const sizes = new Map(Object.entries(kept.get("picture_sizes", {})));
const local = new Map(); // reference → address of the same picture in this page

/** Width and height of a picture that this browser stored, or undefined. */
export const sizeOf = (reference) => sizes.get(reference);

/** Uploads of this page show at once; those of an earlier one are asked for by their reference. */
export const thumbnailOf = (reference) => local.get(reference) ?? `/api/images/${encodeURIComponent(reference)}?size=256`;

/** Why a file cannot be sent, as a sentence; "" where it can. */
export const tooLarge = (file) => (file.size > LIMIT_MEGABYTES * 2 ** 20 ? t("file_too_large", { megabytes: Math.ceil(file.size / 2 ** 20), limit: LIMIT_MEGABYTES }) : "");

/** Stores a File or Blob; its reference. Throws ApiError. */
export async function storePicture(blob, name = blob.name || "picture") {
  const body = new FormData();
  body.append("file", blob, name);
  const stored = await api("POST", "/api/images", body);
  local.set(stored.id, URL.createObjectURL(blob));
  sizes.set(stored.id, { width: stored.width, height: stored.height });
  kept.set("picture_sizes", Object.fromEntries([...sizes].slice(-KEPT_SIZES)));
  return stored.id;
}

/** A finished picture becomes an input: its pixels are stored as an upload and put into `field` of `task`. */
export async function usePicture(picture, field, task) {
  await orNote(async () => {
    const reference = await storePicture(await api("GET", picture.url), "picture.png");
    form.setTask(task);
    form.set({ [field]: reference });
    emit("show-field", field);
  });
}

/** Whether anything shows through a stored picture, as far as can be seen of it when it is small. Throws ApiError. */
export async function showsThrough(reference) {
  const image = await createImageBitmap(await api("GET", `/api/images/${encodeURIComponent(reference)}?size=128`));
  const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, image.width, image.height).data.some((value, i) => i % 4 === 3 && value < 255);
}
