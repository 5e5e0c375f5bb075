// Pictures that are kept among the best of several, or put aside; pictures that are deleted, or brought back.

import { api } from "../core/api.js";
import { emit } from "../core/bus.js";
import { t } from "../core/language.js";
import { note, orNote } from "../core/note.js";
import { jobs } from "./jobs.js";
import { ranked } from "./pictures.js";
import { view } from "./view.js";

/** Takes a picture among the kept, or back into the fold, with the way back in the note. */
export async function setKept(picture, wanted) {
  await orNote(async () => {
    const { kept: isKeptNow } = await api(wanted ? "POST" : "DELETE", `/api/images/${picture.id}/keep`);
    for (const job of jobs.values()) {
      if (!job.pictures.some((one) => one.id === picture.id)) continue;
      putPictures(job, job.pictures.map((one) => (one.id === picture.id ? { ...one, kept: isKeptNow } : one)));
    }
    emit("kept", { id: picture.id, isKept: isKeptNow });
    emit("jobs");
    note(t(isKeptNow ? "kept_too" : "put_aside"), { text: t("undo"), run: () => setKept(picture, !isKeptNow) });
  });
}

/** The job has these pictures now. The one that fills the stage goes on to, wherever it stands among them. */
function putPictures(job, pictures) {
  const enlarged = view.shown === job && view.enlarged !== null ? job.pictures[view.enlarged]?.id : null;
  job.pictures = ranked(pictures);
  if (!enlarged) return;
  const place = job.pictures.findIndex((one) => one.id === enlarged);
  view.enlarged = place < 0 ? null : place;
}

/** Takes a picture out of the jobs, or puts it back. */
export function setDeleted(picture, isDeleted) {
  for (const job of jobs.values()) {
    if (isDeleted && job.pictures.some((one) => one.id === picture.id)) {
      job.deleted = [...(job.deleted ?? []), ...job.pictures.filter((one) => one.id === picture.id)];
      putPictures(job, job.pictures.filter((one) => one.id !== picture.id));
      job.gone = job.pictures.length === 0;
    } else if (!isDeleted && job.deleted?.some((one) => one.id === picture.id)) {
      putPictures(job, [...job.pictures, ...job.deleted.filter((one) => one.id === picture.id)]);
      job.deleted = job.deleted.filter((one) => one.id !== picture.id);
      job.gone = false;
    }
  }
  emit("jobs");
}
