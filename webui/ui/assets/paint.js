// The editor: a sheet over the whole window in which a mask is drawn over a picture, or colours on it or on an empty
// sheet. Of a mask only what is painted goes out, white on black; the picture itself stays the stored upload.

const PAINT_LONGEST = 2048; // pixels of what is painted; a request draws no more either
const PAINT_MASK = "#e8401c";
const PAINT_COLOURS = [["#ffffff", "white"], ["#111111", "black"], ["#d62a1e", "red"], ["#f08c1a", "orange"], ["#f4d03f", "yellow"], ["#3c9a4a", "green"], ["#2f6fd0", "blue"], ["#7a4a2b", "brown"]];
const PAINT_TOOLS = { brush: "b", erase: "e", fill: "f", move: "m" };
const paintChosen = { size: 40, colour: "#d62a1e", ...kept.get("paint", {}) };

function paintMask() {
  const { init_image: picture, mask } = values;
  openPaint("mask", `/api/images/${encodeURIComponent(picture)}?size=${PAINT_LONGEST}`, mask, async (layer) => {
    if (layer.isEmpty) return setControls({ mask: "" });
    const stored = await paintStored(await paintBlob(layer, null));
    maskGoesWith(stored, picture);
    setControls({ mask: stored });
  });
}

/** On the picture, or on an empty sheet of the size that is asked for. The result takes the picture's place. */
function paintSketch() {
  const { init_image: picture, mask, width, height } = values;
  openPaint("sketch", picture ? `/api/images/${encodeURIComponent(picture)}` : { width, height }, "", async (layer, under) => {
    if (layer.isEmpty && picture) return;
    const stored = await paintStored(await paintBlob(layer, under));
    maskGoesWith(mask, stored); // it is the same picture underneath
    setControls({ init_image: stored });
  });
}

async function paintStored(blob) {
  const form = new FormData();
  form.append("file", blob, "painted.png");
  const stored = await api("POST", "/api/images", form);
  localPictures.set(stored.id, URL.createObjectURL(blob));
  pictureSizes.set(stored.id, { width: stored.width, height: stored.height });
  kept.set("picture_sizes", Object.fromEntries([...pictureSizes].slice(-60)));
  return stored.id;
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
 * `before` it goes on with a layer that was put away. */
async function openPaint(kind, source, mask, keep, before = null) {
  if (paintOpen) return;
  paintOpen = true;
  let under, layer;
  try {
    under = before?.under ?? (await paintUnder(source));
    layer = before ?? new PaintLayer(under.width, under.height, kind === "sketch" ? under : null);
    if (!before && mask) layer.setBase(await paintFromMask(mask, under.width, under.height));
  } catch (error) {
    paintOpen = false;
    return note(error.message);
  }
  const shown = { under };
  drawPaint(kind, layer, shown, keep, () => openPaint(kind, source, mask, keep, layer));
}

function drawPaint(kind, layer, { under }, keep, again) {
  const cameFrom = document.activeElement?.dataset?.part;
  const colour = () => (kind === "mask" ? PAINT_MASK : paintChosen.colour);
  let tool = "brush";
  const started = layer.done.length;
  const ring = el("span", { class: "paint-ring", hidden: true, "aria-hidden": "true" });
  const said = el("p", { class: "unseen", role: "status" });
  const alert = el("p", { class: "paint-alert", role: "alert", hidden: true });
  const sheet = el("div", { class: "paint-paper" }, under, layer.canvas);
  const area = el("div", { class: "paint-area", tabindex: "0", role: "application", "aria-label": t("paint_area") }, sheet, ring);
  layer.canvas.className = kind === "mask" ? "paint-mask" : "";
  const brush = {
    at: null,
    begin(x, y) {
      if (tool === "fill") layer.fill(x, y, colour());
      else layer.begin(x, y, { size: paintChosen.size, colour: colour(), erases: tool === "erase" });
    },
    extend: (x, y) => layer.extend(x, y),
    end: () => { layer.end(); refresh(); },
    forget: () => layer.forget(),
    hover(x, y, by) { this.at = by === "touch" || tool === "move" ? null : [x, y]; this.resized(); },
    leave() { if (!view.isDown) { this.at = null; this.resized(); } },
    said: (isDown) => { said.textContent = t(isDown ? "paint_down" : "paint_up"); },
    resized() {
      ring.hidden = !this.at;
      if (!this.at) return;
      const across = Math.max(6, (tool === "fill" ? 6 : paintChosen.size * view.scale));
      Object.assign(ring.style, { width: `${across}px`, height: `${across}px`, left: `${view.x + this.at[0] * view.scale - across / 2}px`, top: `${view.y + this.at[1] * view.scale - across / 2}px` });
      ring.dataset.down = view.isDown ? "yes" : "";
    },
  };
  const view = new PaintView(area, sheet, under.width, under.height, brush);

  const toolButtons = Object.entries(PAINT_TOOLS).map(([name, key]) =>
    el("button", { type: "button", class: "paint-tool", text: t(`paint_${name}`), title: `${t(`paint_${name}`)} (${key.toUpperCase()})`, "aria-pressed": "false", data: { tool: name }, onclick: () => choose(name) }));
  const size = el("input", { type: "range", min: "1", max: "300", step: "1", "aria-label": t("paint_size") });
  size.value = paintChosen.size;
  size.addEventListener("input", () => setSize(Number(size.value)));
  const act = (name, run) => el("button", { type: "button", class: "paint-act", "aria-label": t(`paint_${name}`), title: t(`paint_${name}`), data: { act: name }, onclick: () => { run(); refresh(); } }, el("span", { "aria-hidden": "true" }));
  const acts = {
    undo: act("undo", () => layer.undo()), redo: act("redo", () => layer.redo()),
    clear: act("clear", () => layer.clear()), zoomOut: act("zoom_out", () => view.zoom(1 / 1.4)),
    zoomIn: act("zoom_in", () => view.zoom(1.4)), fit: act("fit", () => view.fit()),
  };
  if (kind === "mask") acts.invert = act("invert", () => layer.invert(PAINT_MASK));
  const cancel = el("button", { type: "button", class: "plain", text: t("paint_cancel"), onclick: () => close(true) });
  const done = el("button", { type: "button", class: "solid", text: t("paint_done"), onclick: finish });
  const dialog = el("div", { class: "paint dr", role: "dialog", "aria-modal": "true", "aria-label": t(`paint_${kind}`), data: { kind } },
    el("div", { class: "paint-head" }, cancel, el("h2", { text: t(`paint_${kind}`) }), done),
    alert, area,
    el("div", { class: "paint-bar", role: "group", "aria-label": t("paint_tools") },
      el("div", { class: "paint-group" }, ...toolButtons),
      el("div", { class: "paint-group paint-size" }, el("span", { class: "paint-label", text: t("paint_size"), "aria-hidden": "true" }), size),
      kind === "sketch" ? colourPicker() : null,
      el("div", { class: "paint-group" }, acts.undo, acts.redo, acts.invert, acts.clear),
      el("div", { class: "paint-group" }, acts.zoomOut, acts.zoomIn, acts.fit),
      el("p", { class: "paint-help", text: t("paint_help") })),
    said);

  function colourPicker() {
    const own = el("input", { type: "color", "aria-label": t("paint_colour") });
    own.value = paintChosen.colour;
    own.addEventListener("input", () => setColour(own.value));
    const dabs = PAINT_COLOURS.map(([value, name]) => {
      const dab = el("button", { type: "button", class: "paint-dab", "aria-label": t(`paint_${name}`), title: t(`paint_${name}`), "aria-pressed": "false", data: { colour: value }, onclick: () => setColour(value) });
      dab.style.background = value;
      return dab;
    });
    return el("div", { class: "paint-group paint-colours", role: "group", "aria-label": t("paint_colours") }, own, ...dabs);
  }

  function setColour(value) {
    paintChosen.colour = value;
    kept.set("paint", paintChosen);
    if (tool !== "brush" && tool !== "fill") choose("brush");
    refresh();
  }

  function setSize(value) {
    paintChosen.size = Math.min(300, Math.max(1, Math.round(value)));
    size.value = paintChosen.size;
    kept.set("paint", paintChosen);
    brush.resized();
  }

  function choose(name) {
    view.lift(false);
    tool = name;
    view.moves = name === "move";
    if (view.moves) brush.leave();
    refresh();
  }

  function refresh() {
    area.dataset.tool = tool;
    for (const button of toolButtons) button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
    for (const dab of dialog.querySelectorAll(".paint-dab")) dab.setAttribute("aria-pressed", String(dab.dataset.colour === paintChosen.colour));
    const own = dialog.querySelector("input[type=color]");
    if (own) own.value = paintChosen.colour;
    acts.undo.disabled = !layer.done.length;
    acts.redo.disabled = !layer.undone.length;
    brush.resized();
  }

  function press(event) {
    const inArea = document.activeElement === area;
    const letter = event.key.toLowerCase();
    if (event.key === "Escape") {
      event.stopPropagation();
      return view.isDown ? view.lift(false) : close(true);
    }
    if ((event.ctrlKey || event.metaKey) && letter === "z") {
      event.preventDefault();
      event.shiftKey ? layer.redo() : layer.undo();
      return refresh();
    }
    keepFocus(event, dialog);
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
    const named = Object.entries(PAINT_TOOLS).find(([, key]) => key === letter);
    if (inArea && view.key(event, paintChosen.size)) event.preventDefault();
    else if (named) choose(named[0]);
    else if (letter === "i" && acts.invert) acts.invert.click();
    else if (event.key === "[" || event.key === "]") setSize(paintChosen.size * (event.key === "]" ? 1.2 : 1 / 1.2) + (event.key === "]" ? 1 : -1));
    else if (["+", "="].includes(event.key)) view.zoom(1.4);
    else if (event.key === "-") view.zoom(1 / 1.4);
    else if (event.key === "0") view.fit();
  }

  async function finish() {
    view.lift(false);
    done.disabled = true;
    alert.hidden = true;
    said.textContent = t("paint_saving");
    try {
      await keep(layer, under);
      close(false);
    } catch (error) {
      alert.textContent = [error.message, error.hint].filter(Boolean).join(" ");
      alert.hidden = false;
      done.disabled = false;
    }
  }

  function close(isThrown) {
    dialog.remove();
    observer.disconnect();
    paintOpen = false;
    coverPage(false);
    masking.tools?.querySelector(`[data-part="${cameFrom}"]`)?.focus({ preventScroll: true });
    layer.under = kind === "sketch" ? under : null;
    if (isThrown && layer.done.length > started) note(t("paint_thrown"), { text: t("paint_again"), run: again });
  }

  dialog.addEventListener("keydown", press);
  document.body.append(dialog);
  coverPage(true);
  const observer = new ResizeObserver(() => view.fit());
  observer.observe(area);
  refresh();
  area.focus({ preventScroll: true });
}
