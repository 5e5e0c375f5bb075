// What follows from a change of the form: chips set sizes and steps, a checkpoint brings its defaults for what nobody has
// touched, and nothing is left that would be refused.

import { api } from "../core/api.js";
import { on } from "../core/bus.js";
import { t } from "../core/language.js";
import { note, orNote } from "../core/note.js";
import { defaultsOf, madeFor, quickLora } from "./checkpoints.js";
import { keptCount } from "./critic.js";
import { MADE_FOR, howMade, madeForSentence } from "./made_for.js";
import { shownValue } from "./shown_value.js";
import { hasRatio, ratioOf, sizeFor, stepsFor } from "./size.js";
import { form } from "./store.js";
import { inactiveReason, limitsOf, mended, ownEta } from "./validity.js";
import { setPrompt } from "./words_added.js";

export const DEFAULTED = ["width", "height", "steps", "guidance_scale", "scheduler", "sigmas"];

const differs = (now, last) => (name) => now[name] !== last[name];

form.derive((now, last) => {
  const isChanged = differs(now, last);
  const touched = DEFAULTED.filter((name) => isChanged(name) && now[name] !== defaultsOf(now.checkpoint)?.[name]);
  if (isChanged("eta") && now.eta !== ownEta(now.scheduler) && !inactiveReason("eta", now)) touched.push("eta");
  if (touched.some((name) => form.untouched.has(name))) form.touch(...touched);
  return {};
});

form.derive((now, last) => {
  const isChanged = differs(now, last);
  const more = {};
  if (isChanged("ratio") && now.ratio) Object.assign(more, sizeFor(now.ratio, now));
  else if ((isChanged("width") || isChanged("height")) && now.ratio && !hasRatio(now.ratio, now)) more.ratio = null;
  if (isChanged("quality") && now.quality) more.steps = stepsFor(now.quality, now);
  else if (isChanged("steps") && now.quality && now.steps !== stepsFor(now.quality, now)) more.quality = null;
  return more;
});

/** The interval of guidance is never empty: the end that was moved pushes the other one. */
form.derive((now, last) => {
  const { guidance_start: start, guidance_end: end } = now;
  if (start === null || end === null || start < end) return {};
  const isEndMoved = now.guidance_end !== last.guidance_end && now.guidance_start === last.guidance_start;
  const { minimum, maximum, step } = limitsOf(isEndMoved ? "guidance_end" : "guidance_start");
  const rounded = (value) => Math.round(Math.min(maximum, Math.max(minimum, value)) * 1e6) / 1e6;
  if (isEndMoved) {
    const to = rounded(Math.max(end, minimum + step));
    return { guidance_start: rounded(to - step), guidance_end: to };
  }
  const from = rounded(Math.min(start, maximum - step));
  return { guidance_start: from, guidance_end: rounded(from + step) };
});

/** A new checkpoint: its defaults for what nobody has touched; where a person chose one of few steps, these are no matter
 * of taste. */
form.derive((now, last, by) => {
  const defaults = defaultsOf(now.checkpoint);
  if (now.checkpoint === last.checkpoint || !last.checkpoint || !defaults) return {};
  if (by === "person" && madeFor(now.checkpoint)) form.setUntouched([...form.untouched, ...MADE_FOR]);
  return Object.fromEntries(DEFAULTED.filter((name) => form.untouched.has(name) && defaults[name] !== undefined).map((name) => [name, defaults[name]]));
});

form.derive((now) => mended(now));
form.derive((now) => (now.keep_best && keptCount(now) !== now.keep_best ? { keep_best: 0 } : {}));

on("checkpoints", () => {
  form.settle();
  if (!form.values.ratio) form.set({ ratio: ratioOf(form.values) });
});

/** What a new checkpoint changed is said, with the way back; and what would make it quick where no GPU draws. */
on("values", ({ before, changed, asked, by }) => {
  if (!asked.includes("checkpoint") || !before.checkpoint) return;
  const followed = changed.filter((name) => !asked.includes(name) && !["ratio", "quality"].includes(name));
  const quick = by === "person" ? quickOffer() : null;
  if (!followed.length && !quick) return;
  const made = followed.some((name) => MADE_FOR.includes(name)) ? madeFor(form.values.checkpoint) : null;
  const rest = made ? followed.filter((name) => !MADE_FOR.includes(name)) : followed;
  const list = rest.map((name) => `${t(name)} ${shownValue(name, form.values[name])}`).join(t("list_comma"));
  const said = [made ? madeForSentence(made) : "", list ? t("defaults_adopted", { list }) : "", quick?.said].filter(Boolean).join(" ");
  const past = Object.fromEntries([...followed, "checkpoint", "ratio", "quality"].map((name) => [name, before[name]]));
  note(said, followed.length ? { text: t("undo"), run: () => form.set(past) } : null, quick);
});

/** A LoRA of few steps that is here and fits the checkpoint, unless the prompt names it: what to say, and what adds it. */
function quickOffer() {
  const lora = quickLora(form.values.checkpoint);
  const prompt = form.values.prompt ?? "";
  if (!lora || form.values.prompt_dialect === "compel" || prompt.includes(`<lora:${lora.name}`)) return null;
  const add = () => setPrompt(`${(form.values.prompt ?? "").trimEnd()} <lora:${lora.name}:1>`.trim(), t("added_model", { name: lora.name }), lora.made_for);
  return { said: t("quick_lora", { name: lora.name, how: howMade(lora.made_for) }), text: t("quick_lora_use"), run: add };
}

/** Image to image starts at the size that an open one becomes for its picture. */
on("values", async ({ changed }) => {
  const { init_image: picture, checkpoint } = form.values;
  if (!changed.includes("init_image") || !picture || !checkpoint || changed.includes("width") || changed.includes("height")) return;
  await orNote(async () => {
    const size = await api("GET", `/api/images/${encodeURIComponent(picture)}/fitted-size?checkpoint=${encodeURIComponent(checkpoint)}`);
    if (form.values.init_image === picture) form.set({ ...size, ratio: null });
  });
});
