// Every prompt that was submitted, kept in this browser: by arrow keys at the edges of the prompt box, and as a list.

const HISTORY = "prompt_history";
const HISTORY_LENGTH = 100;
const SEARCHED_FROM = 11; // entries; fewer are seen at a glance

const past = () => kept.get(HISTORY, []).filter((one) => typeof one === "string");
let browsing = null; // while the arrow keys go through the past: the prompts, where we are, the draft, and the cursor

on("submitting", (task) => {
  browsing = null;
  const prompt = (values.prompt ?? "").trim();
  const prompts = past();
  if (task === "style_transfer" || !prompt || prompts.at(-1) === prompt) return;
  kept.set(HISTORY, [...prompts, prompt].slice(-HISTORY_LENGTH));
});

document.addEventListener("keydown", (event) => {
  const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const box = event.target;
  if (!by || fieldOf(box) !== "prompt" || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.isComposing) return;
  if (browsing && browsing.text !== box.value) browsing = null; // it was changed since, and is a draft of its own
  if (box.selectionStart !== box.selectionEnd || !(isBrowsing(box) || isAtEdge(box, by)) || !browseBy(box, by)) return;
  event.preventDefault();
});

const isBrowsing = (box) => browsing !== null && browsing.cursor === box.selectionStart;

/** One prompt further into the past or back; false where there is none. */
function browseBy(box, by) {
  if (!browsing) {
    const prompts = past();
    while (prompts.length && prompts.at(-1) === box.value.trim()) prompts.pop();
    if (by > 0 || !prompts.length) return false;
    browsing = { prompts, at: prompts.length, draft: box.value };
    if (box.value.trim()) note(t("history_walk"), undoTo({ prompt: box.value }));
  }
  const at = browsing.at + by;
  if (at < 0 || at > browsing.prompts.length) return false;
  const isBack = at === browsing.prompts.length;
  typeAll(box, isBack ? browsing.draft : browsing.prompts[at]);
  box.setSelectionRange(box.value.length, box.value.length);
  box.scrollTop = box.scrollHeight;
  browsing = isBack ? null : { ...browsing, at, text: box.value, cursor: box.selectionStart };
  return true;
}

/** Whether the cursor stands on the first line (`by` < 0) or the last, as the text is wrapped. */
function isAtEdge(box, by) {
  const at = box.selectionStart;
  return by < 0 ? lineTop(box, at) <= lineTop(box, 0) : lineTop(box, at) >= lineTop(box, box.value.length);
}

/** Where the line of character `at` begins in the text of `box`, in pixels from its top. */
function lineTop(box, at) {
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

darkroom.mountHistory = (element) => {
  const button = el("button", { type: "button", class: "plain history-button", text: t("history"), title: t("history_hint"), "aria-haspopup": "dialog" });
  const box = el("div", { class: "pop history-pop", hidden: true, role: "dialog", "aria-label": t("history") });
  fill(element.querySelector(".menu"), button, box);
  const close = popover(button, box, () => { drawHistory(box, close); placeHistory(button, box); });
  const follow = () => { if (!box.hidden) placeHistory(button, box); };
  for (const name of ["scroll", "resize"]) window.addEventListener(name, follow, true);
  button.addEventListener("click", () => box.querySelector("input, [role=listbox], button")?.focus({ preventScroll: true }));
};

/** Below the button or above it, wherever there is more room; a phone has its own place for it. */
function placeHistory(button, box) {
  const { top, bottom, right } = button.getBoundingClientRect();
  const [above, below] = [top - 60, byId("foot").getBoundingClientRect().top - bottom - 14];
  const isBelow = below >= Math.min(above, 320);
  const room = Math.min(440, isBelow ? below : above);
  const edge = isBelow ? { top: `${bottom + 6}px`, bottom: "auto" } : { top: "auto", bottom: `${innerHeight - top + 6}px` };
  Object.assign(box.style, { left: `${right - 360}px`, maxHeight: `${room}px`, ...edge });
}

function drawHistory(box, close) {
  const prompts = [...new Set(past().reverse())]; // the newest first, each once
  const read = readPictureButton(close);
  if (!prompts.length) return fill(box, el("p", { class: "quiet", text: t("history_empty") }), read);
  const list = el("ul", { role: "listbox", id: "history_list", tabindex: "0", "aria-label": t("history") });
  const none = el("p", { class: "quiet", text: t("history_none"), hidden: true });
  const search = prompts.length < SEARCHED_FROM ? null : el("input", { type: "search", "aria-label": t("history_search"), placeholder: t("history_search"), autocomplete: "off", "aria-controls": "history_list" });
  const choose = (prompt) => {
    close();
    setControls({ prompt });
    if (!matchMedia("(pointer: coarse)").matches) promptBox("prompt")?.focus();
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

function clearHistory() {
  const before = kept.get(HISTORY, []);
  browsing = null;
  kept.set(HISTORY, []);
  note(t("history_cleared"), { text: t("undo"), run: () => kept.set(HISTORY, [...before, ...past()].slice(-HISTORY_LENGTH)) });
}
