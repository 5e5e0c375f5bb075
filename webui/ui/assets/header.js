// The right half of the header: the machine, the queue, the share dialog, the language.

const worker = { state: "starting", eta: null, device: "", precision: "", used: null, total: null, others: 0 };
const header = {};
const SHARE_PAUSE = 2000; // ms between two looks at a link that is being opened

darkroom.mountHeader = (element, props, watch, trigger, clickEvent) => {
  const find = (selector) => element.querySelector(selector);
  Object.assign(header, {
    device: find(".device"), queue: find(".queue-button"), queueBox: find(".queue-pop"),
    share: find(".share-button"), shareBox: find(".share-pop"), language: find(".language-button"),
  });
  fill(header.share, el("span", { text: t("share") }), el("span", { class: "caret", "aria-hidden": "true", text: "▾" }));
  header.queueBox.setAttribute("aria-label", t("queue"));
  header.shareBox.setAttribute("aria-label", t("share"));
  for (const box of [header.queueBox, header.shareBox]) box.setAttribute("role", "dialog");
  popover(header.queue, header.queueBox, drawQueue);
  const ask = () => {
    if (header.shareBox.hidden) return;
    trigger(clickEvent);
    clearTimeout(header.asking);
    if (!props.value || props.value.state === "opening") header.asking = setTimeout(ask, SHARE_PAUSE);
  };
  popover(header.share, header.shareBox, () => { drawShare(props.value); ask(); });
  watch("value", () => drawShare(props.value));
  header.language.textContent = language === "en" ? "中文" : "EN";
  header.language.title = t("switch_language");
  header.language.setAttribute("aria-label", t("switch_language"));
  header.language.addEventListener("click", () => {
    try {
      localStorage.setItem("darkroom.language", language === "en" ? "zh-CN" : "en");
    } catch {
      note(t("language_not_kept"));
    }
    location.reload();
  });
  mountPrivate(find(".private-button"), find(".private-pop"));
  drawHeader();
  refreshWorker();
};

let refreshing = null;
/** The worker's state and other people's jobs; asked again soon while it starts, now and then afterwards. */
async function refreshWorker() {
  clearTimeout(refreshing);
  let pause = 15000;
  if (!document.hidden) {
    try {
      const now = await api("GET", "/api/queue");
      Object.assign(worker, readQueue(now));
      if (worker.state === "starting" || worker.state === "restarting") pause = 1000;
      else if (active().length) pause = 4000;
      drawHeader();
      emit("jobs");
    } catch {
      pause = 4000; // the stream says when the line is lost
    }
  }
  refreshing = setTimeout(refreshWorker, pause);
}

function readQueue({ worker: found, waiting, running: atWork, problem }) {
  return {
    state: found.state, eta: found.ready_eta_seconds, device: found.device, precision: found.precision,
    used: found.memory_used_bytes, total: found.memory_total_bytes, problem: problem?.message ?? "",
    others: Math.max(0, waiting + atWork - active().length),
  };
}

document.addEventListener("visibilitychange", () => { if (!document.hidden) refreshWorker(); });
on("submitting", () => setTimeout(refreshWorker, 300));

const gigabytes = (bytes) => (bytes / 2 ** 30).toFixed(bytes < 10 * 2 ** 30 ? 1 : 0).replace(/\.0$/, "");

function deviceText() {
  if (worker.state === "starting") return worker.eta ? t("ready_in_short", { time: about(worker.eta) }) : t("starting");
  if (worker.state === "restarting") return t("restarting");
  if (worker.state === "broken") return t("broken");
  const parts = [worker.device, worker.precision].filter(Boolean);
  if (worker.total) parts.push(t("memory_of", { used: gigabytes(worker.used ?? 0), total: gigabytes(worker.total) }));
  return parts.join(" · ");
}

function drawHeader() {
  if (!header.queue) return;
  const text = deviceText();
  if (header.device.textContent !== text) header.device.textContent = text;
  header.device.dataset.state = worker.state;
  header.device.title = worker.problem ?? "";
  const count = active().length + worker.others;
  fill(header.queue, el("span", { text: t("queue_count", { n: count }) }), el("span", { class: "caret", "aria-hidden": "true", text: "▾" }));
  if (!header.queueBox.hidden) drawQueue();
}
on("jobs", drawHeader);

/** A line for each of one's own jobs that is not over, kept from one draw to the next, and how many others wait. */
function drawQueue() {
  const box = header.queueBox;
  const unfinished = railOrder().filter((job) => !(job.state in LAST));
  const list = box.querySelector(".queue-list") ?? el("ul", { class: "queue-list" });
  const lines = unfinished.map((job) => {
    const line = [...list.children].find((child) => child.dataset.job === job.id) ?? queueLine(job);
    drawQueueLine(line, job);
    return line;
  });
  const had = list.contains(document.activeElement);
  if (lines.length !== list.children.length || lines.some((line, i) => list.children[i] !== line)) fill(list, ...lines);
  const others = worker.others ? t("queue_others", { n: worker.others }) : "";
  const key = `${lines.length > 0}/${others}`;
  if (box.dataset.key !== key) {
    box.dataset.key = key;
    fill(box, lines.length ? list : el("p", { class: "quiet", text: t("queue_empty") }), others ? el("p", { class: "quiet", text: others }) : null);
  }
  if (had && !box.contains(document.activeElement)) box.focus(); // its line is gone
}

function queueLine(job) {
  return el("li", { data: { job: job.id } },
    el("span", { class: "queue-picture" }),
    el("span", { class: "queue-text" },
      el("span", { class: "queue-prompt", text: titleOf(job) }),
      el("span", { class: "queue-state" })),
    el("button", { type: "button", class: "icon", text: "×", title: t("cancel"), "aria-label": t("cancel_job"), onclick: () => cancelJob(job.id) }));
}

function drawQueueLine(line, job) {
  const [picture, words] = line.children;
  const source = thumbOf(job);
  if (picture.dataset.source !== source) {
    picture.dataset.source = source;
    picture.style.backgroundImage = source ? `url("${source}")` : "";
  }
  const state = queueState(job);
  if (words.lastElementChild.textContent !== state) words.lastElementChild.textContent = state;
}

function queueState(job) {
  if (job.state === "running") return progressText(job) || t("state_running");
  return noteFor(job);
}

function drawShare(share) {
  if (!share) return fill(header.shareBox, el("p", { class: "quiet", text: t("share_asking") }));
  const children = [];
  if (share.state === "open") {
    const code = el("div", { class: "qr", role: "img", "aria-label": t("share_qr") });
    code.innerHTML = share.qr; // drawn by our server from the address alone
    const address = el("input", { readonly: true, value: share.url, "aria-label": t("share_address"), onfocus: (event) => event.target.select() });
    children.push(code, address, copyButton(share.url), el("p", { class: "quiet", text: t("share_login") }));
  } else if (share.state === "failed") {
    children.push(el("p", { class: "sentence", text: share.message }), el("p", { class: "quiet", text: share.hint }));
  } else {
    children.push(el("p", { text: t(share.state === "opening" ? "share_opening" : "share_off") }));
    if (share.state === "off") children.push(el("code", { text: "python launch.py --share" }));
  }
  if (share.state !== "open") children.push(el("p", { class: "quiet", text: t("share_local", { address: location.origin }) }));
  fill(header.shareBox, ...children);
}

function copyButton(text) {
  const button = el("button", { type: "button", class: "solid", text: t("copy") });
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = t("copied");
    } catch {
      button.previousElementSibling?.select();
    }
  });
  return button;
}
