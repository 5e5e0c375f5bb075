// Below the picture of Image to image: the buttons of the editor, and what lies over the picture in its frame (the mask,
// and what is added at its sides).

import { emit, on } from "../core/bus.js";
import { el, fill } from "../core/dom.js";
import { kept } from "../core/kept.js";
import { t } from "../core/language.js";
import { note } from "../core/note.js";
import { fillPart } from "../core/places.js";
import { PICTURED, SIDES } from "../form/fields.js";
import { evenSide, hasSides, sidesOf } from "../form/sides.js";
import { form } from "../form/store.js";
import { sizeOf, thumbnailOf } from "../form/stored_pictures.js";
import { inactiveReason } from "../form/validity.js";
import { helpMark } from "../parts/help_mark.js";

const masking = { tools: null, framing: null, frame: null };
const resized = new ResizeObserver(() => drawMasking());

on("left", (name) => { if (SIDES.includes(name)) form.set({ [name]: evenSide(form.values[name]) }); });
for (const event of ["values", "checkpoints", "drawn-by-gradio"]) on(event, drawMasking);

fillPart("mask", (element) => {
  masking.tools = element.querySelector(".mask-tools");
  drawMasking();
});

fillPart("framing", (element) => {
  masking.framing = element.querySelector(".framing-head");
  const toggle = element.querySelector("button");
  masking.framing.append(helpMark("groups", "framing"));
  toggle.textContent = t("framing");
  const show = (isOpen) => {
    document.documentElement.dataset.framing = isOpen ? "open" : "";
    toggle.setAttribute("aria-expanded", String(isOpen));
    kept.set("framing_open", isOpen);
  };
  toggle.addEventListener("click", () => show(document.documentElement.dataset.framing !== "open"));
  on("reveal", (name) => { if (PICTURED.includes(name)) show(true); });
  show(kept.get("framing_open", false));
  drawMasking();
});

function drawMasking() {
  const { values } = form;
  document.documentElement.dataset.masked = values.mask ? "mask" : hasSides(values) ? "sides" : ""; // what of the tab is in sight
  drawMaskTools();
  drawOverPicture();
  const result = masking.framing?.querySelector(".framing-result");
  if (!result) return;
  const [left, top, right, bottom] = sidesOf(values);
  const size = { width: values.width + left + right, height: values.height + top + bottom };
  const text = hasSides(values) && values.inpaint_area !== "only_masked" ? t("framing_result", size) : "";
  if (result.textContent !== text) result.textContent = text;
}

/** The buttons below the picture; drawn anew only where others are needed. */
function drawMaskTools() {
  const box = masking.tools;
  if (!box) return;
  const { values } = form;
  const isInactive = Boolean(inactiveReason("mask"));
  const key = `${Boolean(values.init_image)} ${Boolean(values.mask)} ${isInactive}`;
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  const had = box.contains(document.activeElement) ? document.activeElement.dataset.part : null;
  const button = (part, text, run, options = {}) => el("button", { type: "button", class: "plain", text: t(text), data: { part }, onclick: run, ...options });
  fill(
    box,
    values.init_image ? button("mask", values.mask ? "mask_edit" : "mask_draw", () => emit("paint-mask"), { title: t("mask_draw_hint"), disabled: isInactive, "aria-describedby": isInactive ? "why_mask" : null }) : null,
    values.init_image ? button("sketch", "sketch", () => emit("paint-sketch"), { title: t("sketch_hint") }) : button("sketch", "sketch_sheet", () => emit("paint-sketch"), { title: t("sketch_hint") }),
    values.mask ? button("remove", "mask_remove", removeMask) : null,
  );
  masking.focus = (kind) => box.querySelector(`[data-part="${kind}"]`)?.focus({ preventScroll: true });
  if (had) (box.querySelector(`[data-part="${had}"]`) ?? box.querySelector("button"))?.focus({ preventScroll: true });
}

function removeMask() {
  const { mask } = form.values;
  form.set({ mask: "" });
  note(t("mask_removed"), { text: t("undo"), run: () => form.set({ mask }) });
}

/** Mask and sides over the picture in its frame, in the proportions of the result. */
function drawOverPicture() {
  const frame = document.querySelector(".drop[data-field=init_image] .drop-frame");
  const picture = frame?.querySelector(".drop-picture");
  if (!picture) return;
  if (masking.frame !== frame) {
    resized.disconnect();
    resized.observe(frame);
    masking.frame = frame;
  }
  const { values } = form;
  const isShown = Boolean(values.init_image) && (Boolean(values.mask) || hasSides(values)) && frame.clientWidth > 0;
  const key = isShown ? JSON.stringify([values.init_image, values.mask, values.mask_mode, ...sidesOf(values), values.width, values.height, values.resize_mode, values.inpaint_area, frame.clientWidth, Boolean(sizeOf(values.init_image))]) : "";
  if (frame.dataset.over === key) return;
  frame.dataset.over = key;
  for (const node of frame.querySelectorAll(".mask-over, .sides-over")) node.remove();
  picture.style.cssText = `background-image: ${picture.style.backgroundImage}`;
  if (!isShown) return;
  const own = sizeOf(values.init_image);
  const isAlone = values.inpaint_area === "only_masked";
  const inner = isAlone && own ? own : { width: values.width, height: values.height };
  const [left, top, right, bottom] = sidesOf(values);
  const whole = { width: inner.width + left + right, height: inner.height + top + bottom };
  const scale = Math.min((frame.clientWidth - 12) / whole.width, (frame.clientHeight - 12) / whole.height);
  const x = (frame.clientWidth - whole.width * scale) / 2;
  const y = (frame.clientHeight - whole.height * scale) / 2;
  const place = (node, fromLeft, fromTop, size) => Object.assign(node.style, {
    inset: "auto", left: `${x + fromLeft * scale}px`, top: `${y + fromTop * scale}px`, width: `${size.width * scale}px`, height: `${size.height * scale}px`,
  });
  const fit = isAlone ? "100% 100%" : { crop_and_resize: "cover", resize_and_fill: "contain" }[values.resize_mode] ?? "100% 100%";
  picture.style.backgroundSize = fit;
  place(picture, left, top, inner);
  if (hasSides(values)) {
    const outer = el("span", { class: "sides-over", "aria-hidden": "true" });
    place(outer, 0, 0, whole);
    picture.before(outer);
  }
  if (values.mask) {
    const over = el("span", { class: "mask-over", "aria-hidden": "true", data: { mode: values.mask_mode } });
    const image = `url("${thumbnailOf(values.mask)}")`;
    Object.assign(over.style, values.mask_mode === "not_masked"
      ? { maskImage: `linear-gradient(#fff, #fff), ${image}`, maskSize: `100% 100%, ${fit}` }
      : { maskImage: image, maskSize: fit });
    place(over, left, top, inner);
    picture.after(over);
  }
}

drawMasking();
on("painted", (kind) => masking.focus?.(kind));
