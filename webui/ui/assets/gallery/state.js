// The gallery's sheet and what it holds.

export const gallery = {
  sheet: null, body: null, one: null, close: null, // elements
  days: new Map(), // midnight → the day's grid
  tiles: new Map(), // picture's id → its tile
  before: null, isEnd: false, isLoading: false, // how far it was loaded
  opened: null, // the picture that is open
  asked: 0, // how often it was loaded from its beginning
};

const covered = new Set(); // names of what lies over the tiles
const below = new Set(); // elements that take no focus meanwhile

/** `element` lies below an open picture, or two that are compared. */
export function liesBelow(element) {
  below.add(element);
}

/** `name` covers what lies below, or no longer. */
export function coverGallery(name, isCovering) {
  if (isCovering) covered.add(name);
  else covered.delete(name);
  for (const part of below) part.inert = covered.size > 0;
}

/** The tiles that can be scrolled to, in their order: none that was deleted or is folded away. */
export const shownTiles = () => [...gallery.days.values()].flatMap((grid) => [...grid.querySelectorAll(".cell")]).filter((tile) => !tile.hidden && tile.dataset.folded !== "yes");
