// The page: every module that fills a part of it or listens, and then what starts them.

import { look } from "./core/api.js";
import { emit, on } from "./core/bus.js";
import { given } from "./core/given.js";
import { canOpen, closed, openAddress, opened, showsTab, tabInAddress } from "./core/history.js";
import { t } from "./core/language.js";
import { note } from "./core/note.js";
import { definePlaces } from "./core/places.js";
import { askForCheckpoints } from "./form/checkpoints.js";
import { form } from "./form/store.js";
import { watchGradio } from "./gradio/names.js";
import { sendWaiting } from "./jobs/outbox.js";
import { followLine } from "./jobs/stream.js";
import { followWorker } from "./jobs/worker.js";
import "./gradio/bridge.js";
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
import "./stage/live.js";
import "./stage/stage.js";
import "./stage/walk.js";
import "./gallery/gallery.js";
import "./header/header.js";

definePlaces();
openPage();
canOpen("models", openModels);
canOpen("model", openModel);
on("open-models", openModels);

function openPage() {
  window.gradio_config.i18n_translations = given.texts; // before Gradio's own script, which comes after this one
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
    if (!isFirst) void lookForNewVersion();
    isFirst = false;
  });
  void askForCheckpoints();
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

/** After a lost line the server may be a newer one, whose page this is not any more. */
async function lookForNewVersion() {
  const answer = await look(import.meta.url);
  if (answer?.status === 404) note(t("newer_version"), { text: t("load_again"), run: () => location.reload() });
}

const wanted = { isSheet: false, model: "" }; // of the sheet with the models, until its scripts have come

/** Its address says at once what is to be seen, and Back leaves it. */
async function openModels() {
  wanted.isSheet = true;
  opened("models", () => { wanted.isSheet = false; emit("close-models"); });
  try {
    await import("./models/sheet.js");
  } catch {
    closed("models");
    return note(t("error_no_answer"));
  }
  if (wanted.isSheet) emit("show-models", wanted.model);
  wanted.model = "";
}

/** One of them, in an address; later the sheet's own scripts open it. */
function openModel(id) {
  wanted.model = id;
  opened("model", () => { wanted.model = ""; }, id);
}
