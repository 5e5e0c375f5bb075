// The sheet of the editor: the picture in the middle, the tools below, and what mouse, fingers and keys do with them.

import { el } from "../core/dom.js";
import { kept } from "../core/kept.js";
import { t } from "../core/language.js";
import { hideSheet, showSheet } from "../core/overlays.js";
import { PAINT_MASK } from "./layer.js";
import { PaintView } from "./view.js";

const PAINT_COLOURS = [["#ffffff", "white"], ["#111111", "black"], ["#d62a1e", "red"], ["#f08c1a", "orange"], ["#f4d03f", "yellow"], ["#3c9a4a", "green"], ["#2f6fd0", "blue"], ["#7a4a2b", "brown"]];
const PAINT_TOOLS = { brush: "b", erase: "e", fill: "f", move: "m" };
const PAINT_LARGEST = 300; // pixels across, of a brush
const PAINT_STEP = 1.4; // of the zoom buttons
const paintChosen = { size: 40, colour: "#d62a1e", ...kept.get("paint", {}) };

export class PaintDialog {
  /** `kind` is mask or sketch; `layer` is painted on, over the canvas `under`. `ondone` may throw: then it stays open.
   * `onclose` hears whether that went well. */
  constructor(kind, layer, under) {
    Object.assign(this, { kind, layer, under, tool: "brush", at: null });
    this.ring = el("span", { class: "paint-ring", hidden: true, "aria-hidden": "true" });
    this.said = el("p", { class: "unseen", role: "status" });
    this.alert = el("p", { class: "paint-alert", role: "alert", hidden: true });
    layer.canvas.className = kind === "mask" ? "paint-mask" : "";
    const paper = el("div", { class: "paint-paper" }, under, layer.canvas);
    this.area = el("div", { class: "paint-area", tabindex: "0", role: "application", "aria-label": t("paint_area") }, paper, this.ring);
    this.view = new PaintView(this.area, paper, under.width, under.height, this.brush());
    this.done = el("button", { type: "button", class: "solid", text: t("paint_done"), onclick: () => this.finish() });
    const cancel = el("button", { type: "button", class: "plain", text: t("paint_cancel"), onclick: () => this.close(false) });
    const head = el("div", { class: "paint-head" }, cancel, el("h2", { text: t(`paint_${kind}`) }), this.done);
    this.node = el("dialog", { class: "paint dr", "aria-label": t(`paint_${kind}`), onkeydown: (event) => this.press(event) },
      head, this.alert, this.area, this.bar(), this.said);
  }

  get colour() {
    return this.kind === "mask" ? PAINT_MASK : paintChosen.colour;
  }

  open() {
    document.body.append(this.node);
    const close = () => this.close(false);
    showSheet(this.node, close, close);
    this.observer = new ResizeObserver(() => this.view.fit());
    this.observer.observe(this.area);
    this.refresh();
    this.area.focus({ preventScroll: true });
  }

  close(isKept) {
    this.observer.disconnect();
    hideSheet(this.node);
    this.node.remove();
    this.onclose(isKept);
  }

  async finish() {
    this.view.lift(false);
    this.done.disabled = true;
    this.alert.hidden = true;
    this.said.textContent = t("paint_saving");
    try {
      await this.ondone();
    } catch (error) {
      this.alert.textContent = error.told;
      this.alert.hidden = false;
      this.done.disabled = false;
      return;
    }
    this.close(true);
  }

  /** What the view tells of pointers and keys. */
  brush() {
    const { layer } = this;
    return {
      begin: (x, y) => {
        if (this.tool === "fill") layer.fill(x, y, this.colour);
        else layer.begin(x, y, { size: paintChosen.size, colour: this.colour, erases: this.tool === "erase" });
      },
      extend: (x, y) => layer.extend(x, y),
      end: () => { layer.end(); this.refresh(); },
      forget: () => layer.forget(),
      hover: (x, y, by) => this.drawRing(by === "touch" || this.tool === "move" ? null : [x, y]),
      leave: () => { if (!this.view.isDown) this.drawRing(null); },
      said: (isDown) => { this.said.textContent = t(isDown ? "paint_down" : "paint_up"); },
      resized: () => this.drawRing(this.at),
    };
  }

  /** The outline of the brush around a place of the picture. */
  drawRing(at) {
    this.at = at;
    this.ring.hidden = !at;
    if (!at) return;
    const { view } = this;
    const across = Math.max(6, this.tool === "fill" ? 6 : paintChosen.size * view.scale);
    const [left, top] = [view.x + at[0] * view.scale - across / 2, view.y + at[1] * view.scale - across / 2];
    Object.assign(this.ring.style, { width: `${across}px`, height: `${across}px`, left: `${left}px`, top: `${top}px` });
    this.ring.dataset.down = view.isDown ? "yes" : "";
  }

  bar() {
    const group = (...nodes) => el("div", { class: "paint-group" }, ...nodes);
    const { layer, view } = this;
    this.tools = Object.entries(PAINT_TOOLS).map(([name, key]) =>
      el("button", { type: "button", class: "paint-tool", text: t(`paint_${name}`), title: `${t(`paint_${name}`)} (${key.toUpperCase()})`, data: { tool: name }, onclick: () => this.choose(name) }));
    this.undo = this.act("undo", () => layer.undo());
    this.redo = this.act("redo", () => layer.redo());
    this.invert = this.kind === "mask" ? this.act("invert", () => layer.invert(PAINT_MASK)) : null;
    this.size = el("input", { type: "range", min: "1", max: String(PAINT_LARGEST), step: "1", "aria-label": t("paint_size") });
    this.size.value = paintChosen.size;
    this.size.addEventListener("input", () => this.setSize(Number(this.size.value)));
    const size = group(el("span", { class: "paint-label", text: t("paint_size"), "aria-hidden": "true" }), this.size);
    size.classList.add("paint-size");
    return el("div", { class: "paint-bar", role: "group", "aria-label": t("paint_tools") },
      group(...this.tools), size, this.kind === "sketch" ? this.colours() : null,
      group(this.undo, this.redo, this.invert, this.act("clear", () => layer.clear())),
      group(this.act("zoom_out", () => view.zoom(1 / PAINT_STEP)), this.act("zoom_in", () => view.zoom(PAINT_STEP)), this.act("fit", () => view.fit())),
      el("p", { class: "paint-help", text: t("paint_help") }));
  }

  act(name, run) {
    const press = () => { run(); this.refresh(); };
    return el("button", { type: "button", class: "paint-act", "aria-label": t(`paint_${name}`), title: t(`paint_${name}`), data: { act: name }, onclick: press }, el("span", { "aria-hidden": "true" }));
  }

  colours() {
    this.own = el("input", { type: "color", "aria-label": t("paint_colour") });
    this.own.addEventListener("input", () => this.setColour(this.own.value));
    this.dabs = PAINT_COLOURS.map(([value, name]) => {
      const dab = el("button", { type: "button", class: "paint-dab", "aria-label": t(`paint_${name}`), title: t(`paint_${name}`), data: { colour: value }, onclick: () => this.setColour(value) });
      dab.style.background = value;
      return dab;
    });
    return el("div", { class: "paint-group paint-colours", role: "group", "aria-label": t("paint_colours") }, this.own, ...this.dabs);
  }

  setColour(value) {
    paintChosen.colour = value;
    kept.set("paint", paintChosen);
    if (!["brush", "fill"].includes(this.tool)) return this.choose("brush");
    this.refresh();
  }

  setSize(value) {
    paintChosen.size = Math.min(PAINT_LARGEST, Math.max(1, Math.round(value)));
    this.size.value = paintChosen.size;
    kept.set("paint", paintChosen);
    this.drawRing(this.at);
  }

  choose(name) {
    this.view.lift(false);
    this.tool = name;
    this.view.moves = name === "move";
    this.refresh();
  }

  refresh() {
    this.area.dataset.tool = this.tool;
    for (const button of this.tools) button.setAttribute("aria-pressed", String(button.dataset.tool === this.tool));
    for (const dab of this.dabs ?? []) dab.setAttribute("aria-pressed", String(dab.dataset.colour === paintChosen.colour));
    if (this.own) this.own.value = paintChosen.colour;
    this.undo.disabled = !this.layer.done.length;
    this.redo.disabled = !this.layer.undone.length;
    this.drawRing(this.tool === "move" ? null : this.at);
  }

  press(event) {
    const key = event.key.toLowerCase();
    if (key === "escape") {
      event.stopPropagation();
      event.preventDefault(); // the browser would close the dialog itself
      return this.view.isDown ? this.view.lift(false) : this.close(false);
    }
    if ((event.ctrlKey || event.metaKey) && key === "z") {
      event.preventDefault();
      event.shiftKey ? this.layer.redo() : this.layer.undo();
      return this.refresh();
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
    if (document.activeElement === this.area && this.view.key(event, paintChosen.size)) return event.preventDefault();
    this.shortcut(key);
  }

  shortcut(key) {
    const tool = Object.keys(PAINT_TOOLS).find((name) => PAINT_TOOLS[name] === key);
    if (tool) return this.choose(tool);
    if (key === "i") return this.invert?.click();
    if (key === "[") return this.setSize(paintChosen.size / 1.2 - 1);
    if (key === "]") return this.setSize(paintChosen.size * 1.2 + 1);
    if (key === "+" || key === "=") return this.view.zoom(PAINT_STEP);
    if (key === "-") return this.view.zoom(1 / PAINT_STEP);
    if (key === "0") this.view.fit();
  }
}
