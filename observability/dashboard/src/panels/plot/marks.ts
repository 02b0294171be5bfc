/** Patterns that can be told apart without their colour, as paths in a tile of `TILE` pixels. */

export const TILE = 8;

export const MARKS = [
  "",
  "M-2,2 l4,-4 M0,8 l8,-8 M6,10 l4,-4",
  "M2,2 h2 v2 h-2 z M6,6 h2 v2 h-2 z",
  "M0,4 h8",
  "M4,0 v8",
  "M0,0 l8,8",
] as const;

/** A pattern to fill a canvas with. */
export function patternOf(kind: number, ground: string, mark: string): CanvasPattern | string {
  const tile = document.createElement("canvas");
  const scale = devicePixelRatio;
  tile.width = tile.height = Math.round(TILE * scale);
  const context = tile.getContext("2d");
  if (context === null) return ground;
  context.scale(tile.width / TILE, tile.height / TILE);
  context.fillStyle = ground;
  context.fillRect(0, 0, TILE, TILE);
  context.strokeStyle = mark;
  context.lineWidth = 1.6;
  context.stroke(new Path2D(MARKS[kind % MARKS.length]));
  return context.createPattern(tile, "repeat") ?? ground;
}
