// From a step on the strip to an armed branch: the form takes the settings of its job, as far as it has them.

import { branch } from "../form/branch.js";
import { giveBack } from "../form/give_back.js";
import { promptBox } from "../gradio/boxes.js";
import { view } from "../jobs/view.js";

/** The next Generate branches off `step` of that job's image. Controls take its settings, as far as they have them. */
export function armBranch(here) {
  if (!here) return;
  const { job, image, step, total } = here;
  const { request } = job;
  const told = request.resolved_prompts?.[request.walk_to ? 0 : request.only_image ?? image];
  giveBack({ ...request, ...told, looks: told ? [] : request.looks, seed: seedAlone(request, image), num_images: 1, keep_best: 0, variation_strength: 0, variation_seed: null });
  branch.arm({ job: job.id, image, step, total, task: request.task, prompt: told?.prompt ?? request.prompt, preview: view.scrub?.sources[image] ?? job.latest[image] ?? null });
  promptBox("prompt")?.focus();
}

/** The seed whose noise the image has. */
function seedAlone(request, image) {
  const index = request.only_image ?? image;
  if (request.walk_to) return index === request.num_images - 1 ? request.walk_to.seed : request.seed;
  return request.variation_strength > 0 ? request.seed : (request.seed + index) % 2 ** 32;
}
