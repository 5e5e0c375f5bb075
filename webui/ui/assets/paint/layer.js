// A layer that is painted on: strokes, fills, and back again. It knows no buttons and no pointers; all places are in its
// own pixels. What was done is kept as a list that is drawn anew, so that going back costs no memory.

export const PAINT_MASK = "#e8401c"; // in which a mask is shown while it is painted
const PAINT_KEPT = 80; // that can be taken back
const PAINT_LIKE = 40; // of 255, in each channel: how far a filled place's colour may go

export class PaintLayer {
  /** `under` is the picture below, which a fill looks at; for a mask only the layer itself counts. */
  constructor(width, height, under = null) {
    this.canvas = Object.assign(document.createElement("canvas"), { width, height });
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.base = null; // what can no more be taken back, and what was there at first
    this.under = under;
    this.done = [];
    this.undone = [];
    this.stroke = null;
  }

  /** What the layer shows before anything is painted. */
  setBase(image) {
    this.base = Object.assign(document.createElement("canvas"), { width: this.canvas.width, height: this.canvas.height });
    this.base.getContext("2d").drawImage(image, 0, 0, this.canvas.width, this.canvas.height);
    this.redraw();
  }

  begin(x, y, { size, colour, erases }) {
    this.end();
    this.stroke = { kind: "stroke", size, colour, erases, points: [[x, y]] };
    this.drawSegment(this.context, this.stroke, 0);
  }

  extend(x, y) {
    if (!this.stroke) return;
    this.stroke.points.push([x, y]);
    this.drawSegment(this.context, this.stroke, this.stroke.points.length - 1);
  }

  end() {
    if (this.stroke) this.did(this.stroke);
    this.stroke = null;
  }

  /** A second finger came: the stroke was none. */
  forget() {
    if (!this.stroke) return;
    this.stroke = null;
    this.redraw();
  }

  fill(x, y, colour) {
    const found = this.region(Math.floor(x), Math.floor(y));
    if (!found) return;
    const action = { kind: "fill", ...this.stamp(found, colour) };
    this.apply(this.context, action);
    this.did(action);
  }

  invert(colour) {
    this.act({ kind: "invert", colour });
  }

  clear() {
    this.act({ kind: "clear" });
  }

  undo() {
    if (!this.done.length) return;
    this.undone.push(this.done.pop());
    this.redraw();
  }

  redo() {
    if (!this.undone.length) return;
    const action = this.undone.pop();
    this.apply(this.context, action);
    this.done.push(action);
  }

  /** Whether nothing at all is painted. */
  get isEmpty() {
    const { data } = this.context.getImageData(0, 0, this.canvas.width, this.canvas.height);
    for (let i = 3; i < data.length; i += 4) if (data[i] > 7) return false;
    return true;
  }

  act(action) {
    this.apply(this.context, action);
    this.did(action);
  }

  did(action) {
    this.undone = [];
    this.done.push(action);
    if (this.done.length <= PAINT_KEPT) return;
    const first = this.done.shift();
    const canvas = Object.assign(document.createElement("canvas"), { width: this.canvas.width, height: this.canvas.height });
    const context = canvas.getContext("2d");
    if (this.base) context.drawImage(this.base, 0, 0);
    this.apply(context, first);
    this.base = canvas;
  }

  redraw() {
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (this.base) this.context.drawImage(this.base, 0, 0);
    for (const action of this.done) this.apply(this.context, action);
  }

  apply(context, action) {
    const { width, height } = this.canvas;
    if (action.kind === "stroke") action.points.forEach((_, i) => this.drawSegment(context, action, i));
    else if (action.kind === "fill") context.drawImage(action.canvas, action.x, action.y);
    else if (action.kind === "clear") context.clearRect(0, 0, width, height);
    else {
      context.save();
      context.globalCompositeOperation = "xor"; // where it was, it is not, and the other way round
      context.fillStyle = action.colour;
      context.fillRect(0, 0, width, height);
      context.restore();
    }
  }

  /** From point i − 1 to point i of a stroke; its first is a dot. */
  drawSegment(context, { points, size, colour, erases }, i) {
    context.save();
    context.globalCompositeOperation = erases ? "destination-out" : "source-over";
    Object.assign(context, { strokeStyle: colour, fillStyle: colour, lineWidth: size, lineCap: "round", lineJoin: "round" });
    context.beginPath();
    if (i === 0) {
      context.arc(...points[0], size / 2, 0, 2 * Math.PI);
      context.fill();
    } else {
      context.moveTo(...points[i - 1]);
      context.lineTo(...points[i]);
      context.stroke();
    }
    context.restore();
  }

  /** What belongs together with (x, y) by its colour, or by being painted or not: 1 where it does; null outside. */
  region(x, y) {
    const { width, height } = this.canvas;
    if (x < 0 || y < 0 || x >= width || y >= height) return null;
    const seen = this.seen();
    const at = 4 * (y * width + x);
    const first = seen.slice(at, at + 4);
    const isLike = (place) => [0, 1, 2, 3].every((c) => Math.abs(seen[4 * place + c] - first[c]) <= PAINT_LIKE);
    const inside = new Uint8Array(width * height);
    const stack = [y * width + x];
    while (stack.length) {
      const start = stack.pop();
      if (inside[start]) continue;
      const row = Math.floor(start / width) * width;
      let [left, right] = [start, start];
      while (left > row && !inside[left - 1] && isLike(left - 1)) left -= 1;
      while (right < row + width - 1 && !inside[right + 1] && isLike(right + 1)) right += 1;
      inside.fill(1, left, right + 1);
      for (const beside of [-width, width]) {
        let isOpen = false;
        for (let place = left + beside; place <= right + beside; place += 1) {
          const belongs = place >= 0 && place < inside.length && !inside[place] && isLike(place);
          if (belongs && !isOpen) stack.push(place);
          isOpen = belongs;
        }
      }
    }
    return inside;
  }

  /** RGBA as it is seen: with the picture below where there is one; of a mask only what it covers. */
  seen() {
    const { width, height } = this.canvas;
    if (!this.under) {
      const { data } = this.context.getImageData(0, 0, width, height);
      for (let i = 0; i < data.length; i += 4) data[i] = data[i + 1] = data[i + 2] = 0;
      return data;
    }
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const context = canvas.getContext("2d");
    context.drawImage(this.under, 0, 0, width, height);
    context.drawImage(this.canvas, 0, 0);
    return context.getImageData(0, 0, width, height).data;
  }

  /** A region as a small canvas and its place; it reaches one pixel further, under the soft edge of strokes. */
  stamp(inside, colour) {
    const { width, height } = this.canvas;
    let [left, top, right, bottom] = [width, height, 0, 0];
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        if (!inside[y * width + x]) continue;
        [left, right] = [Math.min(left, x), Math.max(right, x)];
        [top, bottom] = [Math.min(top, y), y];
      }
    }
    [left, top, right, bottom] = [Math.max(0, left - 1), Math.max(0, top - 1), Math.min(width, right + 2), Math.min(height, bottom + 2)];
    const canvas = Object.assign(document.createElement("canvas"), { width: right - left, height: bottom - top });
    const context = canvas.getContext("2d");
    const image = context.createImageData(canvas.width, canvas.height);
    const [red, green, blue] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
    for (let y = top; y < bottom; y += 1) {
      for (let x = left; x < right; x += 1) {
        const near = [[x, y], [x - 1, y], [x + 1, y], [x, y - 1], [x, y + 1]];
        if (!near.some(([px, py]) => px >= 0 && py >= 0 && px < width && py < height && inside[py * width + px])) continue;
        image.data.set([red, green, blue, 255], 4 * ((y - top) * canvas.width + x - left));
      }
    }
    context.putImageData(image, 0, 0);
    return { canvas, x: left, y: top };
  }
}
