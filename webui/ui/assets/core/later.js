// Scripts that come when they are first needed: those of sheets, which many never open.

import { keepFile } from "./api.js";
import { emit, on } from "./bus.js";
import { given } from "./given.js";
import { canOpen, goTo } from "./history.js";
import { language, t } from "./language.js";
import { note } from "./note.js";
import { sayIfOutdated } from "./version.js";

/** `run` imports the script `name`, once one of `events` is told or one of `places` is gone to in the address. The script
 * hears that event, and opens that place, itself. */
export function comesLater(name, run, events, places = []) {
  let isHere = false;
  let coming = null;
  const come = () => (coming ??= fetchAll(given.later[name]).then(run));
  const then = async (go) => {
    try {
      await come();
    } catch {
      coming = null;
      if (!(await sayIfOutdated())) note(t("part_missing"), { text: t("try_again"), run: () => void then(go) });
      return;
    }
    isHere = true;
    await go();
  };
  for (const event of events) on(event, (value) => { if (!isHere) void then(() => emit(event, value)); });
  for (const place of places) canOpen(place, (detail) => then(() => goTo(place, detail)));
}

/** Into the browser's cache, all at once, where it would find one import after the other. Throws if one does not come:
 * a script whose import has failed, or a link that asks for it, is never asked for again. */
const fetchAll = (names) => Promise.all(names.map((name) => keepFile(new URL(`../${inLanguage(name)}`, import.meta.url))));

const inLanguage = (name) => name.replace(/^(texts\/.*)en\.js$/, `$1${language}.js`);
