// A “?” that opens the passage of the manual about a group of controls, or about a part of the page.

import { el } from "../core/dom.js";
import { given } from "../core/given.js";
import { language, t } from "../core/language.js";

/** `kind` is "groups" or "parts" of `given.help`. The manual opens in a tab of its own, so that nothing is left. */
export function helpMark(kind, name) {
  const passage = given.help[kind][name];
  const label = t("help_about", { name: t(passage.name) });
  const href = `/help/${passage.page}?lang=${language}#${passage.anchor}`;
  return el("a", { class: "help-mark", href, target: "_blank", rel: "noopener", title: label, "aria-label": label, text: "?" });
}
