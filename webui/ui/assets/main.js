// The page: every module that fills a part of it or listens, and then what starts them.

import { emit, on } from "./core/bus.js";
import { given } from "./core/given.js";
import { openAddress, showsTab, tabInAddress } from "./core/history.js";
import { kept } from "./core/kept.js";
import { language, t } from "./core/language.js";
import { comesLater } from "./core/later.js";
import { note } from "./core/note.js";
import { definePlaces } from "./core/places.js";
import { sayIfOutdated } from "./core/version.js";
import { texts } from "./texts/en.js";
import { askForCheckpoints } from "./form/checkpoints.js";
import { form } from "./form/store.js";
import { watchGradio } from "./gradio/names.js";
import { sendWaiting } from "./jobs/outbox.js";
import { followLine } from "./jobs/stream.js";
import { followWorker } from "./jobs/worker.js";
import "./gradio/bridge.js";
import "./jobs/sound.js";
import "./controls/branch_chip.js";
import "./controls/buttons.js";
import "./controls/estimate.js";
import "./controls/help.js";
import "./controls/keep_best.js";
import "./controls/negative.js";
import "./controls/sampling.js";
import "./controls/looks.js";
import "./controls/select.js";
import "./controls/settings.js";
import "./pictures/masking.js";
import "./pictures/style.js";
import "./pictures/upload.js";
import "./prompt/check.js";
import "./prompt/history_list.js";
import "./prompt/keys.js";
import "./prompt/paste.js";
import "./prompt/words.js";
import "./stage/live.js";
import "./stage/stage.js";
import "./stage/walk.js";
import "./header/header.js";

comesLater("gallery/gallery.js", () => import("./gallery/gallery.js"), ["open-gallery"], ["gallery", "picture"]);
comesLater("models/sheet.js", () => import("./models/sheet.js"), ["open-models"], ["models", "model"]);
comesLater("operator/sheet.js", () => import("./operator/sheet.js"), ["open-operator"], ["operator"]);
comesLater("parts/chime.js", () => import("./parts/chime.js"), ["chime"]);
comesLater("paint/editor.js", () => import("./paint/editor.js"), ["paint-mask", "paint-sketch"]);
comesLater("stage/waiting.js", () => import("./stage/waiting.js"), ["prompt-waits"]);
definePlaces();
openPage();

function openPage() {
  window.gradio_config.i18n_translations = { [language]: texts }; // before Gradio's own script, which comes after this one
  document.documentElement.dataset.task = form.task;
  on("task", () => { document.documentElement.dataset.task = form.task; });
  on("tab-in-address", (name) => { if (name in given.tasks) form.setTask(name); });
  if (tabInAddress() in given.tasks) form.setTask(tabInAddress());
  on("task", () => showsTab(form.task));
  on("drawn-by-gradio", () => {
    watchGradio();
    showsTab(form.task);
    openAddress();
  });
  on("storage-full", sayStorageIsFull);
  let isFirst = true;
  on("connected", () => {
    if (!isFirst) void sayIfOutdated();
    isFirst = false;
  });
  void askForCheckpoints();
  if ([kept.get("waits", [])].flat().length) emit("prompt-waits");
  sendWaiting();
  followLine();
  followWorker();
}

let isStorageSaid = false;

function sayStorageIsFull() {
  if (isStorageSaid) return;
  isStorageSaid = true;
  note(t("storage_full"));
}
