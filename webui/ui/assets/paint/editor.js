// The editor: a sheet over the whole window in which a mask is drawn over a picture, or colours on it or on an empty
// sheet. Of a mask only what is painted goes out, white on black; the picture itself stays the stored upload.

import "../texts/late/en.js";
import { emit, on } from "../core/bus.js";
import { closed, opened } from "../core/history.js";
import { t } from "../core/language.js";
import { note } from "../core/note.js";
import { maskGoesWith } from "../form/belongings.js";
import { SIDES } from "../form/fields.js";
import { form } from "../form/store.js";
import { storePicture } from "../form/stored_pictures.js";
import { PaintDialog } from "./dialog.js";
import { PAINT_MASK, PaintLayer } from "./layer.js";

const PAINT_LONGEST = 2048; // pixels of what is painted; a request draws no more either

on("paint-mask", paintMask);
on("paint-sketch", paintSketch);

function paintMask() {
  const { init_image: picture, mask } = form.values;
  openPaint("mask", `/api/images/${encodeURIComponent(picture)}?size=${PAINT_LONGEST}`, mask, async (layer) => {
    if (layer.isEmpty) return form.set({ mask: "" });
    const stored = await storePicture(await paintBlob(layer, null), "painted.png");
    maskGoesWith(stored, picture);
    form.set({ mask: stored });
  });
}

/** On the picture, or on an empty sheet of the size that is asked for. The result takes the picture's place. */
function paintSketch() {
  const { init_image: picture, mask, width, height } = form.values;
  openPaint("sketch", picture ? `/api/images/${encodeURIComponent(picture)}` : { width: width || 512, height: height || 512 }, "", async (layer, under) => {
    if (layer.isEmpty && picture) return;
    const stored = await storePicture(await paintBlob(layer, under), "painted.png");
    maskGoesWith(mask, stored); // it is the same picture underneath
    form.set({ init_image: stored, mask, ...Object.fromEntries(SIDES.map((name) => [name, form.values[name]])) });
    if (picture) note(t("sketched"), { text: t("undo"), run: () => form.set({ init_image: picture, mask }) });
  });
}

/** As PNG: over the picture `under`, or as a mask in white on black. */
function paintBlob(layer, under) {
  const { width, height } = layer.canvas;
  const whole = Object.assign(document.createElement("canvas"), { width, height });
  const context = whole.getContext("2d");
  if (under) {
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, width, height);
    context.drawImage(under, 0, 0, width, height);
    context.drawImage(layer.canvas, 0, 0);
  } else {
    context.drawImage(layer.canvas, 0, 0);
    context.globalCompositeOperation = "source-in";
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, width, height);
    context.globalCompositeOperation = "destination-over";
    context.fillStyle = "#000000";
    context.fillRect(0, 0, width, height);
  }
  return new Promise((resolve, reject) => whole.toBlob((blob) => (blob ? resolve(blob) : reject(new Error(t("paint_failed")))), "image/png"));
}

function paintImage(source) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => reject(new Error(t("paint_failed")));
    image.src = source;
  });
}

/** What lies below the layer: the picture at a size that can be painted on, or white paper. */
async function paintUnder(source) {
  const image = typeof source === "string" ? await paintImage(source) : null;
  const own = image ? { width: image.naturalWidth, height: image.naturalHeight } : source;
  const share = Math.min(1, PAINT_LONGEST / Math.max(own.width, own.height));
  const canvas = Object.assign(document.createElement("canvas"), { width: Math.max(1, Math.round(own.width * share)), height: Math.max(1, Math.round(own.height * share)) });
  const context = canvas.getContext("2d");
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  if (image) context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** An old mask as paint: as opaque as it is bright. */
async function paintFromMask(reference, width, height) {
  const image = await paintImage(`/api/images/${encodeURIComponent(reference)}`);
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0, width, height);
  const pixels = context.getImageData(0, 0, width, height);
  const paint = [1, 3, 5].map((i) => parseInt(PAINT_MASK.slice(i, i + 2), 16));
  for (let i = 0; i < pixels.data.length; i += 4) pixels.data.set([...paint, pixels.data[i]], i);
  context.putImageData(pixels, 0, 0);
  return canvas;
}

let paintOpen = false;

/** `source` is the picture's address, or the size of an empty sheet; `keep` gets the layer and what lies under it. With
 * `layer` and `under` it goes on with what was put away. */
async function openPaint(kind, source, mask, keep, layer = null, under = null) {
  if (paintOpen) return;
  paintOpen = true;
  try {
    under ??= await paintUnder(source);
    if (!layer) {
      layer = new PaintLayer(under.width, under.height, kind === "sketch" ? under : null);
      if (mask) layer.setBase(await paintFromMask(mask, under.width, under.height));
    }
  } catch (error) {
    paintOpen = false;
    return note(error.message);
  }
  const dialog = new PaintDialog(kind, layer, under);
  const started = layer.done.length;
  dialog.ondone = () => keep(layer, under);
  dialog.onclose = (isKept) => {
    paintOpen = false;
    emit("painted", kind);
    closed("paint");
    if (isKept || layer.done.length <= started) return;
    note(t("paint_thrown"), { text: t("paint_again"), run: () => openPaint(kind, source, mask, keep, layer, under) });
  };
  dialog.open();
  opened("paint", () => dialog.close(false));
}
