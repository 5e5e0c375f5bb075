// How a painted picture lies in its area: zoom and place, and what pointers, wheel and keys do to it. A pointer paints
// or moves, as the tool says; two fingers always move and zoom, and take back what the first began to paint.

const PAINT_ZOOM = 16; // at most, in screen pixels for one of the picture's

export class PaintView {
  /** `sheet` holds the layers, `width` × `height` pixels. `brush` hears begin, extend, end, forget, in those pixels. */
  constructor(area, sheet, width, height, brush) {
    Object.assign(this, { area, sheet, width, height, brush, moves: false, scale: 1, x: 0, y: 0 });
    this.pointers = new Map();
    this.cursor = [width / 2, height / 2]; // of the keyboard
    this.isDown = false; // the keyboard's brush
    area.addEventListener("pointerdown", (event) => this.press(event));
    area.addEventListener("pointermove", (event) => this.drag(event));
    for (const name of ["pointerup", "pointercancel"]) area.addEventListener(name, (event) => this.release(event, name === "pointercancel"));
    area.addEventListener("pointerleave", () => this.brush.leave());
    area.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / (event.ctrlKey ? 100 : 400)), event.clientX, event.clientY);
    }, { passive: false });
    area.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  /** All of the picture in sight, in the middle. */
  fit() {
    const { clientWidth: across, clientHeight: down } = this.area;
    this.scale = Math.min((across - 24) / this.width, (down - 24) / this.height, 4);
    [this.x, this.y] = [(across - this.width * this.scale) / 2, (down - this.height * this.scale) / 2];
    this.show();
  }

  /** Around a point of the window, by default the middle of the area. */
  zoom(factor, clientX, clientY) {
    const box = this.area.getBoundingClientRect();
    const [atX, atY] = [(clientX ?? box.left + box.width / 2) - box.left, (clientY ?? box.top + box.height / 2) - box.top];
    const least = Math.min(1, (box.width - 24) / this.width, (box.height - 24) / this.height) / 2;
    const scale = Math.min(PAINT_ZOOM, Math.max(least, this.scale * factor));
    this.x = atX - ((atX - this.x) * scale) / this.scale;
    this.y = atY - ((atY - this.y) * scale) / this.scale;
    this.scale = scale;
    this.show();
  }

  move(dx, dy) {
    const keep = 40; // some of it always stays in sight
    this.x = Math.min(this.area.clientWidth - keep, Math.max(keep - this.width * this.scale, this.x + dx));
    this.y = Math.min(this.area.clientHeight - keep, Math.max(keep - this.height * this.scale, this.y + dy));
    this.show();
  }

  show() {
    this.sheet.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    this.sheet.style.imageRendering = this.scale > 3 ? "pixelated" : "";
    this.brush.resized();
  }

  /** Where an event is, in pixels of the picture. */
  at(event) {
    const box = this.area.getBoundingClientRect();
    return [(event.clientX - box.left - this.x) / this.scale, (event.clientY - box.top - this.y) / this.scale];
  }

  press(event) {
    if (event.pointerType === "mouse" && event.button === 2) return;
    event.preventDefault();
    this.area.focus({ preventScroll: true });
    this.area.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    if (this.pointers.size === 2) {
      this.brush.forget();
      this.isPainting = false;
    }
    const paints = this.pointers.size === 1 && !this.moves && event.button !== 1;
    if (paints) {
      this.isPainting = true;
      this.brush.begin(...this.at(event));
    }
  }

  drag(event) {
    this.brush.hover(...this.at(event), event.pointerType);
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    if (this.isPainting) {
      const steps = event.getCoalescedEvents?.() ?? [];
      for (const one of steps.length ? steps : [event]) this.brush.extend(...this.at(one));
      this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
      return;
    }
    const others = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    if (others.length === 0) return this.move(event.clientX - before[0], event.clientY - before[1]);
    const [other] = others;
    const [was, is] = [Math.hypot(before[0] - other[0], before[1] - other[1]), Math.hypot(event.clientX - other[0], event.clientY - other[1])];
    this.zoom(Math.max(is, 1) / Math.max(was, 1), (event.clientX + other[0]) / 2, (event.clientY + other[1]) / 2);
    this.move((event.clientX - before[0]) / 2, (event.clientY - before[1]) / 2);
  }

  release(event, isBroken) {
    if (!this.pointers.delete(event.pointerId)) return;
    if (this.isPainting) (isBroken ? this.brush.forget() : this.brush.end());
    this.isPainting = false;
  }

  /** The brush by keyboard: arrows move it, or with the tool Move the picture; Space lowers and lifts it. Whether it was
   * such a key. */
  key(event, size) {
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const way = arrows[event.key];
    if (way && this.moves) {
      this.move(-way[0] * 40, -way[1] * 40);
    } else if (way) {
      const far = Math.max(1, size / 4) * (event.shiftKey ? 4 : 1);
      this.cursor = [Math.min(this.width, Math.max(0, this.cursor[0] + way[0] * far)), Math.min(this.height, Math.max(0, this.cursor[1] + way[1] * far))];
      this.brush.hover(...this.cursor, "keyboard");
      if (this.isDown) this.brush.extend(...this.cursor);
    } else if (event.key === " " && !this.moves) {
      this.lift(!this.isDown);
    } else {
      return false;
    }
    return true;
  }

  /** Lowers or lifts the keyboard's brush. */
  lift(isDown) {
    if (this.isDown === isDown) return;
    this.isDown = isDown;
    if (isDown) this.brush.begin(...this.cursor);
    else this.brush.end();
    this.brush.hover(...this.cursor, "keyboard");
    this.brush.said(isDown);
  }
}
