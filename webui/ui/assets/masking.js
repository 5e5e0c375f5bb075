// The picture of Image to image and its mask: the buttons of the editor, what lies over the picture in its frame (the
// mask, and what is added at its sides), and whose mask it is. A mask of an older picture never goes with a new one.

const SIDE_FIELDS = fieldsIn("sides"); // left, top, right, bottom
const masking = { tools: null, framing: null };
const maskPictures = new Map(Object.entries(kept.get("mask_pictures", {}))); // mask → the pictures that it was drawn for

const sidesOf = (request) => SIDE_FIELDS.map((name) => Number(request[name]) || 0);
const hasSides = (request) => sidesOf(request).some((pixels) => pixels > 0);

/** Pixels that are computed, in millions. */
function drawnMegapixels(request) {
  const [left, top, right, bottom] = request.inpaint_area === "only_masked" || request.task !== "image_to_image" ? [0, 0, 0, 0] : sidesOf(request);
  return ((request.width + left + right) * (request.height + top + bottom)) / 1e6;
}

/** From now on this mask belongs to this picture, too. */
function maskGoesWith(mask, picture) {
  if (!mask || !picture) return;
  const pictures = (maskPictures.get(mask) ?? []).filter((one) => one !== picture);
  maskPictures.delete(mask);
  maskPictures.set(mask, [...pictures, picture]);
  kept.set("mask_pictures", Object.fromEntries([...maskPictures].slice(-60)));
}

on("values", () => {
  const { mask, init_image: picture } = values;
  if (isRestored && mask) {
    const pictures = maskPictures.get(mask);
    if (!pictures) maskGoesWith(mask, picture);
    else if (!pictures.includes(picture)) dropMask(mask, pictures.at(-1), picture);
  }
  const uneven = isRestored ? SIDE_FIELDS.filter((name) => Number(values[name]) % 8 !== 0) : [];
  if (uneven.length) setControls(Object.fromEntries(uneven.map((name) => [name, Math.round(Number(values[name]) / 8) * 8])));
  drawMasking();
});
for (const event of ["grown", "checkpoints"]) on(event, drawMasking);
window.addEventListener("resize", drawMasking);

function dropMask(mask, before, now) {
  setControls({ mask: "" });
  note(t("mask_dropped"), { text: t("undo"), run: () => { setControls({ init_image: before || now, mask }); } });
}

darkroom.mountMask = (element, props, trigger, watch) => {
  masking.tools = element.querySelector(".mask-tools");
  watch("value", drawMasking);
  drawMasking();
};

darkroom.mountFraming = (element) => {
  masking.framing = element.querySelector(".framing-head");
  const toggle = element.querySelector("button");
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
};

/** What of the tab is in sight: before the page knows, as it was, so that nothing jumps. */
function markMasking(now) {
  document.documentElement.dataset.masked = now.mask ? "mask" : hasSides(now) ? "sides" : "";
}
markMasking(kept.get("controls", {}));

function drawMasking() {
  if (isRestored) markMasking(values);
  drawMaskTools();
  drawOverPicture();
  const result = masking.framing?.querySelector(".framing-result");
  if (!result || !isRestored) return;
  const [left, top, right, bottom] = sidesOf(values);
  const size = { width: values.width + left + right, height: values.height + top + bottom };
  const text = hasSides(values) && values.inpaint_area !== "only_masked" ? t("framing_result", size) : "";
  if (result.textContent !== text) result.textContent = text;
}

/** The buttons below the picture; drawn anew only where others are needed. */
function drawMaskTools() {
  const box = masking.tools;
  if (!box || !isRestored) return;
  const isInactive = Boolean(inactiveReason("mask"));
  const key = `${Boolean(values.init_image)} ${Boolean(values.mask)} ${isInactive}`;
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  const had = box.contains(document.activeElement) ? document.activeElement.dataset.part : null;
  const button = (part, text, run, options = {}) => el("button", { type: "button", class: "plain", text: t(text), data: { part }, onclick: run, ...options });
  fill(
    box,
    values.init_image ? button("mask", values.mask ? "mask_edit" : "mask_draw", paintMask, { title: t("mask_draw_hint"), disabled: isInactive, "aria-describedby": isInactive ? "why_mask" : null }) : null,
    values.init_image ? button("sketch", "sketch", paintSketch, { title: t("sketch_hint") }) : button("sketch", "sketch_sheet", paintSketch, { title: t("sketch_hint") }),
    values.mask ? button("remove", "mask_remove", removeMask) : null,
  );
  if (had) (box.querySelector(`[data-part="${had}"]`) ?? box.querySelector("button"))?.focus({ preventScroll: true });
}

function removeMask() {
  const { mask } = values;
  setControls({ mask: "" });
  note(t("mask_removed"), { text: t("undo"), run: () => setControls({ mask }) });
}

/** Mask and sides over the picture in its frame, in the proportions of the result. */
function drawOverPicture() {
  const frame = byId("init_image")?.querySelector(".drop-frame");
  const picture = frame?.querySelector(".drop-picture");
  if (!picture || !isRestored) return;
  const isShown = Boolean(values.init_image) && (Boolean(values.mask) || hasSides(values)) && frame.clientWidth > 0;
  const key = isShown ? JSON.stringify([values.init_image, values.mask, values.mask_mode, ...sidesOf(values), values.width, values.height, values.resize_mode, values.inpaint_area, frame.clientWidth, pictureSizes.has(values.init_image)]) : "";
  if (frame.dataset.over === key) return;
  frame.dataset.over = key;
  for (const node of frame.querySelectorAll(".mask-over, .sides-over")) node.remove();
  picture.style.cssText = `background-image: ${picture.style.backgroundImage}`;
  if (!isShown) return;
  const own = pictureSizes.get(values.init_image);
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
