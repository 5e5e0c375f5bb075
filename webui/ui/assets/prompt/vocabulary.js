// The words that a checkpoint knows, in a prompt: which of them it has, which go together, and the prompt with one more
// or one less. What else stands in the prompt stays as it is. Knows nothing of the page.

export const KINDS = ["thing", "number", "colour", "place", "hour", "season", "weather", "style"];
const OF_THINGS = ["number", "colour"]; // said of a thing, before its name
const PARTS = /[^,，、\n]+/g;
const ARTICLE = { a: /^[aeiou]/i }; // "a" is "an" before these

/**
 * What of the vocabulary (words by kind) the prompt says between its commas: `chosen`, a word by kind, and `places`, where
 * its phrases stand as [start, end].
 */
export function wordsIn(prompt, vocabulary) {
  const [chosen, places] = [{}, {}];
  for (const found of prompt.matchAll(PARTS)) {
    const said = found[0].trim();
    const start = found.index + found[0].indexOf(said);
    const words = phraseOf(said, vocabulary);
    const kind = words && KINDS.find((one) => one in words);
    if (!kind || kind in chosen) continue;
    Object.assign(chosen, words);
    places[kind] = [start, start + said.length];
  }
  return { chosen, places };
}

/** The words of one phrase by kind: a thing with what is said of it, or a single other word; null for anything else. */
function phraseOf(said, vocabulary) {
  const isSaid = (text) => Boolean(text) && text.toLowerCase() === said.toLowerCase();
  for (const kind of KINDS.filter((one) => one !== "thing" && !OF_THINGS.includes(one))) {
    const word = (vocabulary[kind] ?? []).find((one) => isSaid(one.en) || isSaid(one.zh));
    if (word) return { [kind]: word };
  }
  for (const thing of vocabulary.thing ?? []) {
    for (const number of [undefined, ...vocabulary.number ?? []]) {
      for (const colour of [undefined, ...vocabulary.colour ?? []]) {
        const words = { thing, ...number && { number }, ...colour && { colour } };
        if ([false, true].some((isChinese) => isSaid(thingPhrase(words, vocabulary, isChinese)))) return words;
      }
    }
  }
  return null;
}

/** "two red cars", "an orange cat", "两只红色的猫" */
function thingPhrase({ thing, number, colour }, vocabulary, isChinese) {
  if (isChinese) return `${number ? number.zh + (thing.measure_zh ?? "") : ""}${colour?.zh ?? ""}${thing.zh}`;
  const isOne = !number || number === vocabulary.number[0];
  const named = [colour?.en, isOne ? thing.en : thing.plural ?? thing.en].filter(Boolean).join(" ");
  if (!number) return named;
  return `${number.en}${ARTICLE[number.en]?.test(named) ? "n" : ""} ${named}`;
}

/** What keeps `word` of `kind` from joining the chosen words: another word, "thing" where one is needed first, or null. */
export function obstacle(kind, word, chosen) {
  if (OF_THINGS.includes(kind) && !chosen.thing) return "thing";
  const isLeft = (other) => other !== kind && !(kind === "thing" && OF_THINGS.includes(other)); // those follow the thing
  const others = Object.entries(chosen).filter(([other]) => isLeft(other));
  const found = others.find(([other, one]) => !goesWith(word, other, one) || !goesWith(one, kind, word));
  return found ? found[1] : null;
}

const goesWith = (word, kind, other) => !word.goes_with?.[kind] || word.goes_with[kind].includes(other.en);

/** The prompt with `word` of `kind`, in place of the one it had of that kind, or without it if it is there. */
export function withWord(prompt, vocabulary, kind, word, isChinese) {
  const { chosen } = wordsIn(prompt, vocabulary);
  const isThere = chosen[kind] === word;
  if (!OF_THINGS.includes(kind) && kind !== "thing") {
    return put(prompt, vocabulary, kind, isThere ? "" : isChinese ? word.zh : word.en, isChinese);
  }
  const words = { thing: chosen.thing, number: chosen.number, colour: chosen.colour, [kind]: isThere ? undefined : word };
  for (const other of OF_THINGS) if (words[other] && words.thing && !goesWith(words.thing, other, words[other])) words[other] = undefined;
  return put(prompt, vocabulary, "thing", words.thing ? thingPhrase(words, vocabulary, isChinese) : "", isChinese);
}

/** The prompt without any of the vocabulary's words. */
export function withoutWords(prompt, vocabulary) {
  let left = prompt;
  for (;;) {
    const [kind] = Object.keys(wordsIn(left, vocabulary).places);
    if (!kind) return left;
    left = put(left, vocabulary, kind, "", false);
  }
}

/** The phrase of a kind takes the place of the one that is there, or comes last; an empty one takes it out with its comma. */
function put(prompt, vocabulary, kind, phrase, isChinese) {
  const place = wordsIn(prompt, vocabulary).places[kind];
  const comma = isChinese ? "，" : ", ";
  if (!place) return prompt.trim() ? `${prompt.replace(/[\s,，、]+$/, "")}${comma}${phrase}` : phrase;
  const [before, after] = [prompt.slice(0, place[0]), prompt.slice(place[1])];
  if (phrase) return before + phrase + after;
  const without = before.replace(/[,，、]\s*$/, "");
  return without === before ? before + after.replace(/^\s*[,，、]\s*/, "") : without + after;
}
