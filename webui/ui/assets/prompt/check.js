// Help while typing, under each prompt: tokens with the borders of their chunks, and what will have no effect and why.
// The server counts and words (`POST /api/prompt-check`); while it is away nothing is said.

import { ApiError, api } from "../core/api.js";
import { on } from "../core/bus.js";
import { el, fill, isMac, setText } from "../core/dom.js";
import { t } from "../core/language.js";
import { fillPart } from "../core/places.js";
import { debounced } from "../core/timing.js";
import { PROMPTS } from "../form/fields.js";
import { form } from "../form/store.js";
import { promptBox } from "../gradio/boxes.js";
import { lineTop } from "./lines.js";

const CHECK_PAUSE = 250; // ms after the last change
const SPEAK_PAUSE = 1500; // ms; what is read aloud waits until nobody types
const SHOWN_NOTES = 3; // one on a phone, where each takes a finger's room
const RANK = { error: 0, warning: 1, hint: 2 };
const helps = new Map(); // field → its part of the page, what is shown there, and of which text
const checking = { isOut: false, isDue: false, answered: "" };

fillPart("prompt_help", (element) => {
  const { field } = element.querySelector(".help").dataset;
  const find = (selector) => element.querySelector(selector);
  const help = { field, box: find(".help"), line: find(".help-line"), notes: find(".help-notes"), said: find(".unseen"), checked: "", isOpen: false };
  help.notes.id = `${field}_notes`;
  help.box.setAttribute("role", "group");
  help.box.setAttribute("aria-label", field === "prompt" ? t("help_prompt") : t("help_negative_prompt"));
  helps.set(field, help);
  drawHelp(help, null);
  checkSoon();
});

const checkLater = debounced(check, CHECK_PAUSE);
const speakSoon = debounced(speak, SPEAK_PAUSE);
for (const event of ["values", "task", "checkpoints"]) on(event, checkSoon);
on("connection", (isLost) => { if (!isLost) checkSoon(); });

function checkSoon() {
  speakSoon.cancel(); // while one types nothing is read aloud
  checkLater();
}

/** What matters to the prompts, as the API takes it; what a control has half typed is left out. */
function question() {
  const { values } = form;
  const asked = { prompt_dialect: values.prompt_dialect ?? "a1111" };
  for (const field of PROMPTS) asked[field] = values[field] ?? "";
  if (values.checkpoint) asked.checkpoint = values.checkpoint;
  for (const [name, low, high] of [["guidance_scale", 0, 30], ["steps", 1, 150], ["seed", 0, Infinity]]) {
    const value = values[name];
    if (typeof value === "number" && value >= low && value <= high && (name === "guidance_scale" || Number.isSafeInteger(value))) asked[name] = value;
  }
  return asked;
}

/** One question at a time; whatever changed meanwhile is asked when its answer is there. */
async function check() {
  if (checking.isOut) return void (checking.isDue = true);
  if (form.task === "style_transfer" || !helps.size || document.hidden) return;
  const asked = question();
  const key = JSON.stringify(asked);
  if (key === checking.answered) return speakSoon();
  checking.isOut = true;
  let answer = null;
  if (asked.prompt.trim() || asked.negative_prompt.trim()) {
    try {
      answer = await api("POST", "/api/prompt-check", asked);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error; // the server is away or refuses: others say so
    }
  }
  checking.isOut = false;
  checking.answered = answer ? key : "";
  for (const help of helps.values()) {
    help.checked = asked[help.field];
    drawHelp(help, help.checked.trim() ? (answer?.[help.field] ?? null) : null);
  }
  speakSoon();
  if (checking.isDue) { checking.isDue = false; checkSoon(); }
}
document.addEventListener("visibilitychange", () => { if (!document.hidden) checkSoon(); });

function drawHelp(help, report) {
  const { box, line, notes } = help;
  const found = [...(report?.notes ?? [])].sort((a, b) => RANK[a.level] - RANK[b.level]);
  const isTip = help.field === "prompt" && !help.checked.trim();
  const state = JSON.stringify([report, help.isOpen, isTip]);
  if (help.state === state) return;
  help.state = state;
  help.found = found;
  const limit = matchMedia("(width < 1000px)").matches ? 1 : SHOWN_NOTES;
  if (found.length <= limit) help.isOpen = false;
  const hidden = found.length - limit;
  fill(line, isTip ? el("span", { class: "help-tip", text: t("prompt_tip", { ctrl: isMac ? "⌘" : "Ctrl+" }) }) : null, ...(report ? tokensOf(help, report) : []), hidden > 0 ? moreButton(help, report, hidden) : null);
  fill(notes, ...(help.isOpen ? found : found.slice(0, limit)).map((one) => noteRow(help, one)));
  box.dataset.used = report ? "yes" : "";
}

/** `72 | 10/75`: each bar is where a chunk begins, and brings the cursor there. */
function tokensOf(help, { tokens, chunk_tokens: room, chunks }) {
  if (tokens === null) return [];
  if (!chunks.length) return [el("span", { class: "tokens", text: `${tokens}/${room}`, title: t("tokens", { tokens }) })];
  const last = chunks.length - 1;
  const nodes = chunks.flatMap((chunk, i) => {
    const count = el("span", { class: "tokens", text: i === last ? `${chunk.tokens}/${room}` : String(chunk.tokens) });
    if (!i) return [count];
    if (chunk.start === null) return [el("span", { class: "border", text: "|" }), count];
    const label = t("chunk_begins", { n: i + 1 });
    return [el("button", { type: "button", class: "border", text: "|", title: label, "aria-label": label, onclick: () => selectIn(help, chunk.start, chunk.start) }), count];
  });
  const all = t(last ? "tokens_in_chunks" : "tokens", { tokens, chunks: chunks.length });
  return [el("span", { class: "chunks", role: "group", "aria-label": all, title: all }, ...nodes)];
}

function moreButton(help, report, count) {
  const text = help.isOpen ? t("fewer_notes") : t("more_notes", { n: count });
  return el("button", { type: "button", class: "link more-notes", text, "aria-expanded": String(help.isOpen), onclick: () => {
    help.isOpen = !help.isOpen;
    drawHelp(help, report);
    help.line.querySelector(".more-notes")?.focus({ preventScroll: true });
  } });
}

function noteRow(help, { level, message, start, end }) {
  const data = { level };
  if (start === null) return el("li", { data }, el("span", { class: "help-note", text: message }));
  return el("li", { data }, el("button", { type: "button", class: "help-note", text: message, title: t("show_in_prompt"), onclick: () => selectIn(help, start, end ?? start) }));
}

/** Selects characters of the prompt as the server counts them: an emoji is one there and two in the browser. */
function selectIn(help, start, end) {
  const box = promptBox(help.field);
  if (!box || box.value !== help.checked) return; // it was changed since; the next answer is on its way
  const points = [...help.checked];
  const [from, to] = [start, end].map((at) => points.slice(0, at).join("").length);
  box.focus();
  box.setSelectionRange(from, to);
  box.scrollTop = Math.max(0, lineTop(box, from) - box.clientHeight / 2);
  box.scrollIntoView({ block: "nearest" });
}

/** Read aloud: how many remarks there are and the first of them, once they have changed and nobody types. */
function speak() {
  for (const { found, said } of helps.values()) {
    setText(said, found?.length ? t("notes_said", { n: found.length, first: found[0].message }) : "");
  }
}
