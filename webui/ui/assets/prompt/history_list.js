// The earlier prompts as a list, which can be searched.

import { el, fill, isTouched } from "../core/dom.js";
import { t } from "../core/language.js";
import { fillPart } from "../core/places.js";
import { form } from "../form/store.js";
import { promptBox } from "../gradio/boxes.js";
import { popover } from "../parts/popover.js";
import { clearHistory, past } from "./history.js";
import { readPictureButton } from "./inspect.js";

const WIDTH = 360; // px
const SEARCHED_FROM = 11; // entries; fewer are seen at a glance

fillPart("history", (element) => {
  const button = el("button", { type: "button", class: "plain history-button", text: t("history"), title: t("history_hint"), "aria-haspopup": "dialog" });
  const box = el("div", { class: "pop history-pop", role: "dialog", "aria-label": t("history") });
  fill(element.querySelector(".menu"), button, box);
  const close = popover(button, box, "prompts", WIDTH, () => {
    drawHistory(box, close);
    box.querySelector("input, [role=listbox], button")?.focus({ preventScroll: true });
  });
});

function drawHistory(box, close) {
  const prompts = [...new Set(past().reverse())]; // the newest first, each once
  const read = readPictureButton(close);
  if (!prompts.length) return fill(box, el("p", { class: "quiet", text: t("history_empty") }), read);
  const list = el("ul", { role: "listbox", id: "history_list", tabindex: "0", "aria-label": t("history") });
  const none = el("p", { class: "quiet", text: t("history_none"), hidden: true });
  const search = prompts.length < SEARCHED_FROM ? null : el("input", { type: "search", "aria-label": t("history_search"), placeholder: t("history_search"), autocomplete: "off", "aria-controls": "history_list" });
  const choose = (prompt) => {
    close();
    form.set({ prompt });
    if (!isTouched()) promptBox("prompt")?.focus();
  };
  const show = () => {
    const wanted = (search?.value ?? "").trim().toLowerCase();
    const found = prompts.filter((prompt) => prompt.toLowerCase().includes(wanted));
    fill(list, ...found.map((prompt, i) => el("li", { role: "option", id: `history_${i}`, "aria-selected": "false", title: prompt, text: prompt, onclick: () => choose(prompt) })));
    list.hidden = !(none.hidden = found.length > 0);
    mark(0);
  };
  const mark = (at) => {
    const options = [...list.children];
    const place = Math.max(0, Math.min(options.length - 1, at));
    options.forEach((option, i) => option.setAttribute("aria-selected", String(i === place)));
    for (const node of [list, search]) node?.setAttribute("aria-activedescendant", options[place]?.id ?? "");
    options[place]?.scrollIntoView({ block: "nearest" });
  };
  const onkeydown = (event) => {
    const at = [...list.children].findIndex((option) => option.getAttribute("aria-selected") === "true");
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, ...(event.target === list ? { Home: 0, End: Infinity } : {}) }[event.key];
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && !event.isComposing && list.children[at]) {
      event.preventDefault();
      list.children[at].click();
    } else if (to !== undefined) {
      event.preventDefault();
      mark(to);
    }
  };
  for (const node of [list, search]) node?.addEventListener("keydown", onkeydown);
  search?.addEventListener("input", show);
  fill(box, search, list, none, read, el("button", { type: "button", class: "link", text: t("history_clear"), onclick: () => { close(); clearHistory(); } }));
  show();
}
