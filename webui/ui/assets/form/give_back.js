// Settings of a picture back into its tab.

import { given } from "../core/given.js";
import { maskGoesWith } from "./belongings.js";
import { checkpointOf } from "./checkpoints.js";
import { FOLDED, PICTURED, order } from "./fields.js";
import { DEFAULTED } from "./follow.js";
import { form } from "./store.js";
import { styleGivenBack } from "./style_lists.js";
import { restingValue } from "./validity.js";

/** The form takes over what `request` says; what it does not say goes back to its default. */
export function giveBack(request) {
  const changes = { looks: [] };
  for (const name of order) if (name in request) changes[name] = request[name];
  if (request.task === "style_transfer") Object.assign(changes, styleGivenBack(request));
  else completeDiffusion(changes, request);
  if (changes.looks.some((id) => !(id in given.looks))) Object.assign(changes, { looks: [], ...promptsMade(request) });
  if (request.task === "image_to_image") {
    for (const name of ["denoising_strength", ...PICTURED]) changes[name] ??= given.defaults[name] ?? "";
    maskGoesWith(request.mask, request.init_image);
  }
  changes.quality = null;
  changes.ratio = null;
  form.touch(...DEFAULTED, "eta");
  form.setTask(request.task);
  form.set(changes);
}

function completeDiffusion(changes, request) {
  for (const name of ["prompt", "negative_prompt"]) changes[name] ??= "";
  for (const name of ["num_images", ...DEFAULTED, ...FOLDED]) changes[name] ??= restingValue(name, { ...form.values, ...changes });
  changes.seed = request.seed ?? null;
  if (changes.decoder === ownDecoder(changes)) changes.decoder = null;
  changes.variation_seed = request.variation_seed ?? null;
  changes.keep_best = request.keep_best ?? 0; // pictures of before know nothing of it
}

/** What decodes by default. */
const ownDecoder = (now) => (now.vae ? "full" : checkpointOf(now)?.decoders[0]);

/** What looks made of the prompts: for one that is not there any more. */
function promptsMade({ looks, look_texts: made, prompt, negative_prompt: negativePrompt }) {
  if (made?.length !== looks.length) return {};
  const around = (before, text) => (text.includes("{prompt}") ? text.replace("{prompt}", () => before) : [before, text].filter(Boolean).join(", "));
  return {
    prompt: made.reduce((before, look) => around(before, look.prompt), prompt),
    negative_prompt: made.reduce((before, look) => around(before, look.negative_prompt), negativePrompt),
  };
}
