// The order of a job's pictures, the same everywhere: the kept ones, then the rest, each by rank.

export const isKept = (picture) => picture.kept !== false;

/** The pictures of a job in that order. Which of the job's images one is, its `image` says: others may be deleted. */
export function ranked(pictures) {
  return [...pictures].sort((a, b) => isKept(b) - isKept(a) || (a.rank ?? 0) - (b.rank ?? 0) || a.image - b.image);
}

/** How many of a job's pictures, from the first, the stage shows side by side: the kept ones, all where none is left. */
export const inGrid = (job) => job.pictures.filter(isKept).length || job.pictures.length;

/** The width of a job's pictures by their height: of those that are there, else of those that were asked for. */
export function shapeOf({ pictures, request }) {
  const { width, height } = pictures[0] ?? request ?? {};
  return width && height ? width / height : 1;
}

export const hasScore = (picture) => typeof picture?.score === "number";
export const scoreText = (picture) => picture.score.toFixed(3).replace("-", "−");
