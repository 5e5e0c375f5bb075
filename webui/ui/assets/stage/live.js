// Style transfer at once: while its method is Instant, every change of the tab is answered with a picture over the
// stage. It is not kept; Generate makes one that is. One request is on its way at a time, and the newest change next.

import { ApiError, api } from "../core/api.js";
import { on } from "../core/bus.js";
import { el } from "../core/dom.js";
import { t } from "../core/language.js";
import { debounced } from "../core/timing.js";
import { requestOf } from "../form/request.js";
import { form } from "../form/store.js";
import { view } from "../jobs/view.js";
import { emptyFrame, showIn } from "../parts/fade.js";
import { stage } from "./state.js";

const live = { box: null, frame: null, said: null, over: null, asked: "", sent: null, shown: [] };
const askSoon = debounced(askLive, 40); // ms; a slider moves many times

/** The request for the tab as it stands; null where nothing is to be shown. */
function liveRequest() {
  const { values, task } = form;
  if (task !== "style_transfer" || values.method !== "instant" || !values.content_image || !values.style_image) return null;
  return requestOf();
}

on("values", followLive);
on("task", followLive);
on("submitting", endLive);
on("drawn", (job) => { if (live.over !== null && live.over !== (job?.id ?? "")) endLive(); }); // another one is looked at

function followLive() {
  if (!liveRequest()) return endLive();
  askSoon();
}

async function askLive() {
  const request = liveRequest();
  const asked = JSON.stringify(request);
  if (!request || live.sent || asked === live.asked) return;
  live.asked = asked;
  const leaving = (live.sent = new AbortController());
  try {
    showLive(await api("POST", "/api/style-transfer/now", request, { signal: leaving.signal }));
  } catch (failure) {
    if (leaving.signal.aborted) return;
    if (!(failure instanceof ApiError)) throw failure;
    sayLive(failure.told);
  } finally {
    if (live.sent === leaving) live.sent = null;
  }
  askLive();
}

function mountLive() {
  live.frame = emptyFrame("live");
  live.said = el("p", { class: "live-said", role: "status" });
  live.box = el("div", { class: "stage-live" }, el("div", { class: "stage-pictures", data: { count: "1" } }, live.frame), live.said);
  stage.parts.empty.after(live.box);
}

function showLive(picture) {
  sayLive(t("live_said"));
  const url = URL.createObjectURL(picture);
  live.frame.firstElementChild.alt = t("live_picture");
  showIn(live.frame, url);
  live.shown.push(url);
  if (live.shown.length > 4) URL.revokeObjectURL(live.shown.shift()); // the last ones are still being faded
}

function sayLive(text) {
  if (!live.box) mountLive();
  live.over = view.shown?.id ?? "";
  live.box.hidden = false;
  live.said.textContent = text;
  stage.node.dataset.live = String(Number(stage.node.dataset.live ?? 0) + 1);
}

function endLive() {
  askSoon.cancel();
  live.sent?.abort();
  Object.assign(live, { sent: null, asked: "", over: null });
  if (live.box) live.box.hidden = true;
}
