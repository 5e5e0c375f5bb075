// Small helpers around elements. Text always goes in as text, never as HTML.

/** An element. `on…` options are listeners, `data` is the dataset; null, undefined and false leave an attribute or a child
 * out. */
export function el(tag, options = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (!isThere(value)) continue;
    if (name === "text") node.textContent = value;
    else if (name === "class") node.className = value;
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter(isThere));
  return node;
}

/** Replaces an element's children; null, undefined and false are none. */
export function fill(node, ...children) {
  node.replaceChildren(...children.filter(isThere));
}

const isThere = (value) => value !== null && value !== undefined && value !== false; // `wanted && el(…)` may give false

export const byId = (id) => document.getElementById(id);

/** Sets what is not so yet: writing an attribute again wakes whoever observes it. */
export function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Says that the element `id` describes the control, or no longer; another's description stays. */
export function describe(control, id, isDescribed) {
  if (isDescribed) setAttribute(control, "aria-describedby", id);
  else if (control.getAttribute("aria-describedby") === id) control.removeAttribute("aria-describedby");
}

/** Whether the person's finger is the pointer: then focus brings up a keyboard. */
export const isTouched = () => matchMedia("(pointer: coarse)").matches;

export const isMac = /mac|iphone|ipad/i.test(navigator.userAgentData?.platform ?? navigator.platform);
