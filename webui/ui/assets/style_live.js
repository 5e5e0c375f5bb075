// Style transfer at once: while its method is Instant, every change of the tab is answered with a picture over the
// stage. It is not kept; Generate makes one that is. One request is on its way at a time, and the newest change next.

const live = { box: null, frame: null, said: null, over: null, asked: "", sent: null, shown: [] };
const LIVE_PAUSE = 40; // ms: Gradio hands several changes over one after the other

/** The request for the tab as it stands; null where nothing is to be shown. */
function liveRequest() {
  if (task !== "style_transfer" || values.method !== "instant" || !values.content_image || !values.style_image) return null;
  const now = named(sent(values));
  const request = { task };
  for (const name of given.style.fields) {
    const value = name in STYLE_LISTS && now[name] ? JSON.parse(now[name]) : now[name];
    if (value !== null && value !== "" && value !== undefined) request[name] = value;
  }
  return request;
}

on("values", followLive);
on("task", followLive);
on("submitting", endLive);
on("drawn", (job) => { if (live.over !== null && live.over !== (job?.id ?? "")) endLive(); }); // another one is looked at

function followLive() {
  clearTimeout(live.timer);
  if (!liveRequest()) return endLive();
  live.timer = setTimeout(askLive, LIVE_PAUSE);
}

async function askLive() {
  const request = liveRequest();
  const asked = JSON.stringify(request);
  if (!request || live.sent || asked === live.asked || !isRestored) return;
  live.asked = asked;
  const leaving = (live.sent = new AbortController());
  try {
    showLive(await api("POST", "/api/style-transfer/now", request, leaving.signal));
  } catch (failure) {
    if (leaving.signal.aborted) return;
    sayLive([failure.message, failure.hint].filter(Boolean).join(" "));
  } finally {
    if (live.sent === leaving) live.sent = null;
  }
  askLive();
}

function mountLive() {
  live.frame = el("div", { class: "frame", data: { key: "live" } }, el("img", { decoding: "async", hidden: true }));
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
  live.over = stage.shown?.id ?? "";
  live.box.hidden = false;
  live.said.textContent = text;
  stage.node.dataset.live = String(Number(stage.node.dataset.live ?? 0) + 1);
}

function endLive() {
  live.sent?.abort();
  Object.assign(live, { sent: null, asked: "", over: null });
  if (live.box) live.box.hidden = true;
}
