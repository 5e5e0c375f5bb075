// How well a picture fits its prompt, as a number on it and in its details.

import { el } from "../core/dom.js";
import { t } from "../core/language.js";
import { hasScore, scoreText } from "../jobs/pictures.js";

export const fitLess = (n) => (n === 1 ? t("fit_less_one") : t("fit_less", { n }));

/** A small number on the picture; what it means is in its title, and said to those who hear the page. */
export function scoreBadge(picture) {
  return el("span", { class: "score", title: t("score_hint", { score: scoreText(picture) }) },
    el("span", { class: "unseen", text: `${t("score")}: ` }), scoreText(picture));
}

/** Puts the score of `picture` into its frame on the stage, or takes away what is there. */
export function drawScore(frame, picture) {
  const text = hasScore(picture) ? scoreText(picture) : "";
  if ((frame.dataset.score ?? "") === text) return;
  frame.dataset.score = text;
  frame.querySelector(".score-place")?.remove();
  if (text) frame.append(el("span", { class: "score-place" }, scoreBadge(picture)));
}

/** Rows of the details: what the critic said. */
export function scoreRows(request, picture) {
  if (!hasScore(picture)) return [];
  return [
    [t("score"), scoreText(picture)],
    [t("rank"), request ? t("rank_of", { rank: picture.rank, count: request.num_images }) : String(picture.rank)],
    [t("critic"), picture.critic],
  ];
}

