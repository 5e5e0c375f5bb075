// The buttons of the form: sides exchanged, the seed, a surprise, Generate and Stop.

import { emit, on } from "../core/bus.js";
import { given } from "../core/given.js";
import { kept } from "../core/kept.js";
import { localized, t } from "../core/language.js";
import { note } from "../core/note.js";
import { branch } from "../form/branch.js";
import { addressOf, branchOf, requestOf } from "../form/request.js";
import { form } from "../form/store.js";
import { isAtOnce } from "../form/work.js";
import { cancelFirst } from "../jobs/cancel.js";
import { submit } from "../jobs/outbox.js";

let lastSeed = kept.get("last_seed");
let lastSubmitted = "";

/** The seed that ↺ takes back. */
function rememberSeed(seed) {
  lastSeed = seed;
  kept.set("last_seed", seed);
}
on("seed-copied", rememberSeed);
on("job", (job) => {
  if (job.state === "finished" && job.pictures[0] && !isAtOnce(job.request ?? {})) rememberSeed(job.pictures[0].seed);
});

on("press-swap", () => form.set({ width: form.values.height, height: form.values.width }));
on("press-dice", () => form.set({ seed: null }));
on("press-reuse", () => (lastSeed === null ? note(t("no_seed_yet")) : form.set({ seed: lastSeed })));
on("press-stop", cancelFirst);
on("press-generate", generate);
on("generate", generate);

on("press-surprise", () => {
  const other = given.surprises.filter((one) => one.prompt !== form.values.prompt && one.prompt_zh !== form.values.prompt);
  const one = other[Math.floor(Math.random() * other.length)];
  if (one) form.set({ prompt: localized(one, "prompt") });
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  generate();
}, true);

/** What the form says goes to the queue, from an armed branch on where there is one. */
async function generate() {
  const request = requestOf();
  const { armed } = branch;
  const same = JSON.stringify([request, armed]);
  if (typeof request.seed === "number" && request.seed !== -1 && same === lastSubmitted) offerNewSeed();
  lastSubmitted = same;
  emit("submitting", request);
  if (armed) {
    const answer = await submit(`/api/jobs/${armed.job}/branch`, branchOf(request, armed), request);
    if (answer && branch.armed === armed) branch.disarm(); // what is typed next is no branch
  } else {
    const { task, ...body } = request;
    void submit(addressOf(task), body, request);
  }
}

/** The same request with the same seed gives the same picture: it is made, and a new seed is one click away. */
function offerNewSeed() {
  note(t("same_again"), { text: t("new_seed"), run: () => { form.set({ seed: null }); generate(); } });
}
