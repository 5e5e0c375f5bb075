// How Ctrl+Up and Ctrl+Down change a prompt: the weight of the selection, else of the brackets or the word at the cursor,
// in the dialect's own way to write it. Steps and choice of words as in A1111; what it says is read in webui/prompts/.

const [LOWEST, HIGHEST] = [0, 3]; // webui/prompts/lexer.py
const STEP = 0.1;
const LORA_STEP = 0.05; // A1111's, for `<lora:name:0.8>`
const MOST_SIGNS = 10; // compel: 1.1 to the 11th is 2.9
const BETWEEN_WORDS = /[\s.,;:!?/\\%^*{}=`~()[\]<>|"。，、；：！？（）“”]/;
const COMPEL_EDGE = /[\s()"\\,.;:!?，。；：！？、]/; // what ends a word in webui/prompts/compel.py
const COMPEL_OPERATOR = /^(?:\.attend\(\s*(\++|-+|\d*\.\d+|\d+)\s*\)|(\++|-+|\d*\.\d+|\d+)(?![\p{L}\p{N}]))/u;
const CHINESE = /[\u3040-\u30ff\u3400-\u9fff]/;

/** A change of text: [from, to) becomes `text`, and [start, end) is selected then. */
const replaced = (from, to, before, content, after) =>
  ({ from, to, text: before + content + after, start: from + before.length, end: from + before.length + content.length });

const bounded = (weight) => Math.min(HIGHEST, Math.max(LOWEST, Math.round(weight * 100) / 100));
const shown = (weight) => (Number.isInteger(weight) ? weight.toFixed(1) : String(weight));

export function weighA1111(text, start, end, by) {
  if (start === end) {
    const lora = [...text.matchAll(/<(?:lora|lyco):[^<>:]*(:[^<>]*)?>/g)].find(({ index, 0: all }) => index < start && start < index + all.length);
    if (lora) return weighLora(lora, by);
    [start, end] = contentAt(text, start, "(", ")") ?? squareAt(text, start) ?? wordAt(text, start);
  }
  [start, end] = trimmed(text, start, end);
  const whole = /^\((.*):[ ]*([\d.]+)[ ]*\)$/s.exec(text.slice(start, end));
  if (whole) [start, end] = [start + 1, start + 1 + whole[1].length];
  if (start === end) return null;
  const content = text.slice(start, end);
  const written = /^:[ ]*([\d.]+)[ ]*\)/.exec(text.slice(end));
  let [from, to, weight] = [start, end, 1];
  if (isPlain(text, start - 1, "(") && written && Number.isFinite(Number(written[1]))) {
    [from, to, weight] = [start - 1, end + written[0].length, Number(written[1])];
  } else {
    const [opener, closer] = text[end] === "]" ? ["[", "]"] : ["(", ")"];
    while (isPlain(text, from - 1, opener) && text[to] === closer) { from -= 1; to += 1; }
    weight = Math.round((opener === "(" ? 1.1 : 1 / 1.1) ** (to - end) * 10) / 10; // A1111 rounds so, too
  }
  const next = bounded(weight + by * STEP);
  return next === 1 ? replaced(from, to, "", content, "") : replaced(from, to, "(", content, `:${shown(next)})`);
}

function weighLora({ index, 0: all, 1: written }, by) {
  const weight = written ? Number(written.slice(1)) : 1;
  if (!Number.isFinite(weight)) return null;
  const end = index + all.length - 1;
  const next = Math.round((weight + by * LORA_STEP) * 100) / 100;
  return { from: end - (written?.length ?? 0), to: end, text: `:${shown(next)}`, start: index + 1, end: index + 1 };
}

export function weighCompel(text, start, end, by) {
  if (start === end) [start, end] = contentAt(text, start, "(", ")", true) ?? wordAt(text, start, true);
  [start, end] = trimmed(text, start, end);
  if (start === end) return null;
  const content = text.slice(start, end);
  const isEdge = (at) => at < 0 || at >= text.length || COMPEL_EDGE.test(text[at]);
  if (isPlain(text, start - 1, "(") && text[end] === ")") {
    const [operator, inner, outer] = COMPEL_OPERATOR.exec(text.slice(end + 1)) ?? ["", ""];
    return compelGroup(text, start - 1, end + 1 + operator.length, content, inner ?? outer, by);
  }
  const signs = /^(\++|-+)?/.exec(text.slice(end))[0];
  if (!COMPEL_EDGE.test(content) && isEdge(start - 1) && isEdge(end + signs.length)) {
    return replaced(start, end + signs.length, "", content, signed(countOf(signs) + by));
  }
  return compelGroup(text, start, end, content, "", by);
}

/** `(content)` with what stands behind it one step on; without brackets where that is nothing. */
function compelGroup(text, from, to, content, operator, by) {
  let next;
  if (/^[+-]/.test(operator ?? "")) next = signed(countOf(operator) + by);
  else {
    const weight = bounded((operator ? Number(operator) : 1) + by * STEP);
    next = weight === 1 ? "" : shown(weight);
  }
  if (!next) return replaced(from, to, "", content, "");
  const isGlued = /^[\p{L}\p{N}]/u.test(text.slice(to)); // a number in front of a letter would be part of a word
  return replaced(from, to, "(", content, isGlued ? `).attend(${next})` : `)${next}`);
}

const countOf = (signs) => (signs[0] === "-" ? -signs.length : signs.length);
const signed = (count) => (count < 0 ? "-" : "+").repeat(Math.min(MOST_SIGNS, Math.abs(count)));

/** Whether `sign` stands at `at` and no backslash makes it plain text. */
const isPlain = (text, at, sign) => text[at] === sign && text[at - 1] !== "\\";

function trimmed(text, start, end) {
  while (end > start && /\s/.test(text[end - 1])) end -= 1;
  while (start < end && /\s/.test(text[start])) start += 1;
  return [start, end];
}

/** What the innermost brackets around `at` hold, without the weight that may stand in them; undefined outside of any. */
function contentAt(text, at, opener, closer, isCompel = false) {
  let depth = 0;
  let start = at - 1;
  for (; start >= 0; start--) {
    if (isPlain(text, start, closer)) depth += 1;
    else if (isPlain(text, start, opener) && depth-- === 0) break;
  }
  if (start < 0) return undefined;
  depth = 0;
  for (let end = at; end < text.length; end++) {
    if (isPlain(text, end, opener)) depth += 1;
    else if (isPlain(text, end, closer) && depth-- === 0) {
      const content = text.slice(start + 1, end);
      const weight = opener === "(" && !isCompel ? /:[ ]*[\d.]+[ ]*$/.exec(content) : null;
      return [start + 1, end - (weight?.[0].length ?? 0)];
    }
  }
  return undefined;
}

/** The same for `[x]`, but not where it is editing or alternation. */
function squareAt(text, at) {
  const found = contentAt(text, at, "[", "]");
  return found && !/[:|]/.test(text.slice(...found)) ? found : undefined;
}

/** The word around `at`; Chinese has no blanks, so there it is the one that the browser finds. */
function wordAt(text, at, isCompel = false) {
  let [start, end] = [at, at];
  while (start > 0 && !BETWEEN_WORDS.test(text[start - 1])) start -= 1;
  while (end < text.length && !BETWEEN_WORDS.test(text[end])) end += 1;
  const run = text.slice(start, end);
  if (CHINESE.test(run)) {
    const parts = [...new Intl.Segmenter("zh", { granularity: "word" }).segment(run)];
    const part = parts.findLast(({ index }) => index <= Math.min(at - start, run.length - 1));
    return [start + part.index, start + part.index + part.segment.length];
  }
  return isCompel ? [start, end - (/(?<=[^+-])(\++|-+)$/.exec(run)?.[0].length ?? 0)] : [start, end];
}
