// How long this will take, from how long it took: beside the buttons, as soon as one picture was made here.

const PACES = "paces"; // seconds for a step and a megapixel, by task and checkpoint

const isAtOnce = (request) => request.task === "style_transfer" && request.method === "instant";
const paceKey = (request) => `${request.task ?? task}/${isAtOnce(request) ? "instant" : (request.checkpoint ?? "")}`;
const workOf = (request) => request.task === "style_transfer"
  ? (isAtOnce(request) ? 1 : request.iterations) * (request.size ** 2 / 1e6)
  : request.steps * drawnMegapixels(request) * requestImages(request) * (request.task === "image_to_image" ? (hasSides(request) ? 1 : request.denoising_strength) : 1);

on("job", (job) => {
  if (job.state !== "finished" || !job.seconds || !job.request) return;
  const work = workOf(job.request);
  if (work > 0) kept.set(PACES, { ...kept.get(PACES, {}), [paceKey(job.request)]: job.seconds / work });
  drawEstimate();
});
on("values", drawEstimate);
on("task", drawEstimate);

function drawEstimate() {
  const box = byId("estimate");
  if (!box || !values.width) return;
  const request = { ...values, task, checkpoint: task === "style_transfer" ? "" : values.checkpoint };
  const pace = kept.get(PACES, {})[paceKey(request)];
  const time = pace ? pace * workOf(request) : 0;
  box.textContent = time > 0 ? t("about", { time: about(time) }) : "";
}
