// A file of the machine that runs Darkroom: what it is, and the ways in which it can become one of the models.

import { api } from "../core/api.js";
import { el, fill } from "../core/dom.js";
import { t } from "../core/language.js";
import { note, orNote } from "../core/note.js";
import { askForCheckpoints } from "../form/checkpoints.js";
import { bytes } from "./state.js";

/** Whether somebody typed a path, and neither a repository nor an address. */
export const isPath = (text) => /^["']?(?:~?[/\\]|[A-Za-z]:[\\/])/.test(text);

/** What a file is, in words, and buttons; `done(kind)` runs when it has been taken. Throws ApiError. */
export async function fileChoices(path, box, done) {
  const found = await api("POST", "/api/models/files/look", { path });
  const facts = [t(`kind_${found.kind}`), found.family_name ?? found.family, bytes(found.size_bytes)];
  const take = async (way) => {
    const before = [...box.childNodes];
    fill(box, el("p", { class: "quiet", text: t("file_taking") }));
    const isTaken = await orNote(async () => {
      const taken = await api("POST", "/api/models/files", { path, way });
      if (taken.kind === "checkpoint") await askForCheckpoints();
      note(t(way === "move" && taken.how === "copied" ? "file_copied" : "file_taken", { name: taken.id }));
      await done(taken.kind);
    });
    if (!isTaken) fill(box, ...before);
  };
  const button = (text, kind, way) => el("button", { type: "button", class: kind, text: t(text), onclick: () => void take(way) });
  fill(box,
    el("p", { class: "folder-name", text: found.name }),
    el("p", { class: "quiet", text: facts.filter(Boolean).join(" · ") }),
    el("p", { class: "quiet", text: t(found.converts ? "file_converts_hint" : "file_link_hint") }),
    el("div", { class: "offer-buttons" }, ...(found.converts ? [button("file_convert", "solid", "link")] : [button("file_link", "solid", "link"), button("file_move", "plain", "move")])));
}
