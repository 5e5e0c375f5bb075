// Where our own parts stand in the page: `<darkroom-part name="stage">`. Each is filled when the browser has it, whoever
// put it there and whenever, and again if it is put there anew.

const mounts = new Map();
const waiting = new Map(); // name → elements that came before what fills them

/** `mount(element)` fills every part of this name. */
export function fillPart(name, mount) {
  mounts.set(name, mount);
  for (const element of waiting.get(name) ?? []) if (element.isConnected) mount(element);
  waiting.delete(name);
}

export function definePlaces() {
  customElements.define("darkroom-part", class extends HTMLElement {
    connectedCallback() {
      const name = this.getAttribute("name");
      const mount = mounts.get(name);
      if (mount) mount(this);
      else waiting.set(name, [...(waiting.get(name) ?? []), this]);
    }
  });
}
