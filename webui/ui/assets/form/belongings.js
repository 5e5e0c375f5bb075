// What belongs to the picture of Image to image: its mask, its sides, the area that is drawn. Another picture takes them
// back, with the way to undo that; a mask that was drawn for several pictures stays with each of them.

import { on } from "../core/bus.js";
import { given } from "../core/given.js";
import { kept } from "../core/kept.js";
import { t } from "../core/language.js";
import { note } from "../core/note.js";
import { SIDES, isSame } from "./fields.js";
import { form } from "./store.js";

const KEPT_PICTURES = 60;
const OWN = ["mask", "inpaint_area", ...SIDES];
const maskPictures = new Map(Object.entries(kept.get("mask_pictures", {}))); // mask → the pictures that it was drawn for

/** From now on this mask belongs to this picture, too. */
export function maskGoesWith(mask, picture) {
  if (!mask || !picture) return;
  const pictures = (maskPictures.get(mask) ?? []).filter((one) => one !== picture);
  maskPictures.delete(mask);
  maskPictures.set(mask, [...pictures, picture]);
  kept.set("mask_pictures", Object.fromEntries([...maskPictures].slice(-KEPT_PICTURES)));
}

const restOf = (name) => given.defaults[name] ?? "";
const hasOwn = (now) => OWN.some((name) => !isSame(now[name] || 0, restOf(name) || 0));

form.derive((now, last) => {
  if (now.mask && !maskPictures.has(now.mask)) maskGoesWith(now.mask, now.init_image);
  const isOther = now.init_image !== last.init_image && last.init_image;
  if (isOther && OWN.every((name) => now[name] === last[name]) && !maskPictures.get(now.mask)?.includes(now.init_image)) {
    return Object.fromEntries(OWN.map((name) => [name, restOf(name)]));
  }
  return now.mask && !maskPictures.get(now.mask)?.includes(now.init_image) ? { mask: "" } : {};
});

on("values", ({ before, changed, asked }) => {
  const dropped = OWN.filter((name) => changed.includes(name) && !asked.includes(name));
  if (!changed.includes("init_image") || !dropped.length || !hasOwn(before)) return;
  const picture = before.init_image || form.values.init_image;
  const past = Object.fromEntries(OWN.map((name) => [name, before[name]]));
  const text = dropped.length === 1 && dropped[0] === "mask" ? t("mask_dropped") : t("belongings_dropped");
  note(text, { text: t("undo"), run: () => form.set({ ...past, init_image: picture }) });
});
