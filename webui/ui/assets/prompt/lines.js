// Where lines of a text box are.

import { el } from "../core/dom.js";

/** Where the line of character `at` begins in the text of `box`, in pixels from its top. */
export function lineTop(box, at) {
  const style = getComputedStyle(box);
  const copy = el("div", { "aria-hidden": "true" });
  for (const name of ["font", "letterSpacing", "lineHeight", "padding", "border", "boxSizing", "textIndent", "tabSize"]) copy.style[name] = style[name];
  Object.assign(copy.style, { position: "fixed", top: 0, visibility: "hidden", whiteSpace: "pre-wrap", overflowWrap: "break-word", width: `${box.clientWidth}px` });
  const mark = el("span", { text: "\u2060" }); // takes no room and breaks no line
  copy.append(box.value.slice(0, at), mark, box.value.slice(at));
  document.body.append(copy);
  const top = mark.offsetTop;
  copy.remove();
  return top;
}
