// The words that a checkpoint knows, to pick from: what it opens has them by kind, and what is picked goes into the prompt.

import { on } from "../core/bus.js";
import { el, fill, setText } from "../core/dom.js";
import { language, t } from "../core/language.js";
import { fillPart } from "../core/places.js";
import { checkpointOf } from "../form/checkpoints.js";
import { form } from "../form/store.js";
import { helpMark } from "../parts/help_mark.js";
import { isOpen, popover } from "../parts/popover.js";
import { KINDS, obstacle, withWord, withoutWords, wordsIn } from "./vocabulary.js";

const WIDTH = 420; // px
const isChinese = language === "zh-CN";
const textOf = (word) => (isChinese ? word.zh.replace(/的$/, "") : word.en);

fillPart("words", (element) => {
  const button = el("button", { type: "button", class: "link words-button", "aria-haspopup": "dialog", text: t("words") });
  const box = el("div", { class: "pop words-pop", role: "dialog", "aria-label": t("words") });
  let shown = null; // the vocabulary whose chips are in the box
  let chips = [];
  const prompt = el("span", { "aria-hidden": "true" }); // where the box lies over the prompt itself
  const why = el("span", { class: "words-why", role: "status" }); // a faded word that was pressed cannot be picked
  fill(element.querySelector(".menu"), button, box);

  const vocabulary = () => checkpointOf(form.values)?.vocabulary ?? {};
  const set = (prompt) => form.set({ prompt }, "person");

  function chipOf(kind, word) {
    const press = () => {
      if (chip.getAttribute("aria-disabled") === "true") return setText(why, chip.title);
      set(withWord(form.values.prompt, vocabulary(), kind, word, isChinese));
    };
    const chip = el("button", { type: "button", class: "word", text: textOf(word), onclick: press });
    return { kind, word, chip };
  }

  function build() {
    shown = vocabulary();
    chips = KINDS.flatMap((kind) => (shown[kind] ?? []).map((word) => chipOf(kind, word)));
    const groups = KINDS.filter((kind) => shown[kind]?.length).map((kind) => el("div", { class: "words-kind", role: "group", "aria-label": t(`words_${kind}`) },
      el("span", { class: "words-name", "aria-hidden": "true", text: t(`words_${kind}`) }),
      el("div", { class: "words-list" }, ...chips.filter((one) => one.kind === kind).map((one) => one.chip))));
    fill(box, el("p", { class: "words-prompt" }, prompt, why),
      el("p", { class: "words-about" }, el("span", { text: t("words_about") }), helpMark("parts", "words")),
      ...groups,
      el("button", { type: "button", class: "link", text: t("words_none"), onclick: () => set(withoutWords(form.values.prompt, shown)) }));
  }

  function draw() {
    element.hidden = !Object.keys(vocabulary()).length;
    if (!isOpen(box)) return;
    if (shown !== vocabulary()) build();
    const { chosen } = wordsIn(form.values.prompt, shown);
    setText(prompt, form.values.prompt);
    setText(why, "");
    for (const { kind, word, chip } of chips) {
      const barrier = chosen[kind] === word ? null : obstacle(kind, word, chosen);
      chip.setAttribute("aria-pressed", String(chosen[kind] === word));
      chip.setAttribute("aria-disabled", String(barrier !== null)); // still reached by Tab, and says why
      chip.title = barrier === null ? "" : barrier === "thing" ? t("words_thing_first") : t("words_not_with", { word: textOf(barrier) });
    }
  }

  popover(button, box, "words", WIDTH, () => {
    draw();
    (chips.find(({ chip }) => chip.getAttribute("aria-pressed") === "true") ?? chips[0])?.chip.focus();
  });
  on("values", draw);
  on("checkpoints", draw);
  draw();
});
