// The checkpoints that can be chosen, as the API lists them, and what the rules may ask of the chosen one.

import { ApiError, api } from "../core/api.js";
import { emit } from "../core/bus.js";
import { given } from "../core/given.js";
import { pause } from "../core/timing.js";
import { MADE_FOR } from "./made_for.js";
import { form } from "./store.js";

const AGAIN = 2000; // ms, while the server does not answer
let list = new Map();
let choices = [];
let vaes = [];
let isAsked = false;

export const AUTOMATIC_VAE = "automatic"; // the one beside the checkpoint, if there is one

export const checkpoints = {
  get: (id) => list.get(id),
  has: (id) => list.has(id),
  /** Those that can be used. */
  get all() { return [...list.values()]; },
  /** [label, id] for the picker; what cannot be used is in it too, so that choosing it says why. */
  get choices() { return choices; },
  /** The VAEs that can be chosen beside the checkpoints' own. */
  get vaes() { return vaes; },
  /** Whether the server has been asked; until then nothing is known of any. */
  get areKnown() { return isAsked; },
};

/** Where no GPU draws: the LoRA that makes it quick, as {name, made_for}; else null. */
export const quickLora = (id) => list.get(id)?.quick_lora ?? null;

export const checkpointOf = (now) => list.get(now.checkpoint);

export const defaultsOf = (id) => list.get(id)?.defaults;

/** What it was made for, where it is one of few steps and nobody has given it other defaults; else null. */
export function madeFor(id) {
  const { made_for: made, defaults } = list.get(id) ?? {};
  return made && MADE_FOR.every((name) => made[name] === defaults[name]) ? made : null;
}

/** What the rules may ask for of the checkpoint; null while it is not known. */
export function factsOf(now) {
  const own = given.sampling.facts[given.sampling.families[checkpointOf(now)?.family]];
  if (!own) return null;
  const { clip_layers, decoders } = checkpointOf(now);
  return { ...own, clip_layers, choices: { ...own.choices, decoder: decoders } };
}

/** Asks for the list, until the server answers; then tells of it. `renamed` is what the chosen one is called from now on. */
export async function askForCheckpoints(renamed = null) {
  for (;;) {
    try {
      const addresses = ["/api/checkpoints", "/page/checkpoints", "/api/models?kind=vae"];
      const [found, labelled, others] = await Promise.all(addresses.map((address) => api("GET", address)));
      list = new Map(found.map((one) => [one.id, one]));
      choices = labelled;
      vaes = others.filter((one) => !one.problem);
      break;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status !== 0) break;
      await pause(AGAIN);
    }
  }
  isAsked = true;
  if (list.size && !list.has(form.values.checkpoint)) form.set({ checkpoint: [renamed, given.start.checkpoint, ...list.keys()].find((id) => list.has(id)) });
  emit("checkpoints");
}
