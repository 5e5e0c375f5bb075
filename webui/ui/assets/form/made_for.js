// What a model of few steps was made for: the settings, and the sentence that says why they were set.

import { t } from "../core/language.js";

export const MADE_FOR = ["scheduler", "sigmas", "steps", "guidance_scale"];

/** The settings by name. */
export const madeForValues = (made) => Object.fromEntries(MADE_FOR.map((name) => [name, made[name]]));

/** "4 steps without guidance" */
export function howMade({ steps, guidance_scale: guidance }) {
  if (guidance > 1) return t("made_for_guided", { n: steps, guidance });
  return t(steps === 1 ? "made_for_one" : "made_for_some", { n: steps });
}

/** Why the form was set so; a guess says that it is one. */
export const madeForSentence = (made) => t(made.known_by === "name" ? "made_for_guess" : "made_for_set", { kind: made.kind, how: howMade(made) });

/** The same for a list of facts. */
export const madeForFact = (made) => t(made.known_by === "name" ? "made_for_fact_guess" : "made_for_fact", { kind: made.kind, how: howMade(made) });
