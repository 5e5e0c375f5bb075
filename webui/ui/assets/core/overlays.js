// What opens above the page: popovers and sheets. Focus stays within, Escape and Back close the last one.

import { emit } from "./bus.js";
import { byId } from "./dom.js";
import { canOpen, closed, opened } from "./history.js";

/** Tab stays within `scope`, and within the note's button while there is one. For a listener on keydown. */
export function keepFocus(event, scope) {
  if (event.key !== "Tab") return;
  const places = [scope, byId("note")].filter((place) => place && !place.hidden);
  const found = places.flatMap((place) => [...place.querySelectorAll("button, a[href], input, select, textarea, [tabindex='0']")]);
  const stops = found.filter((node) => node.offsetParent && !node.disabled && !node.closest("[inert]"));
  if (!stops.length) return event.preventDefault();
  const at = stops.indexOf(document.activeElement);
  event.preventDefault();
  stops[(at < 0 && event.shiftKey ? stops.length - 1 : at + (event.shiftKey ? -1 : 1) + stops.length) % stops.length].focus();
}

let covers = 0;

/** What lies below an open sheet neither scrolls nor takes focus. */
export function coverPage(isCovered) {
  covers += isCovered ? 1 : -1;
  document.documentElement.classList.toggle("sheet-open", covers > 0);
  emit("covered", covers > 0);
}

/** A button that shows and hides a box. Focus goes into the box and stays there; Escape and a click elsewhere close it. */
export function popover(button, box, name, onopen = () => {}) {
  const close = () => {
    if (box.hidden) return;
    const hadFocus = box.contains(document.activeElement);
    box.hidden = true;
    button.setAttribute("aria-expanded", "false");
    if (hadFocus) button.focus({ preventScroll: true });
    closed(name);
  };
  const open = () => {
    if (!box.hidden) return;
    box.hidden = false;
    button.setAttribute("aria-expanded", "true");
    box.focus({ preventScroll: true });
    onopen();
    opened(name, close);
  };
  box.tabIndex = -1;
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", () => (box.hidden ? open() : close()));
  document.addEventListener("pointerdown", (event) => {
    if (!box.contains(event.target) && !button.contains(event.target)) close();
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { event.stopPropagation(); close(); }
    keepFocus(event, box);
  });
  canOpen(name, open);
  return close;
}
