/**
 * When the page is drawn next: one animation frame shows all that a drawing changes, but not each frame has one.
 *
 * A drawing runs ahead of its frame, in a task of its own: the chart asks for a frame by itself, which is then the same one.
 *
 * Invariant: after a drawing the main thread is left alone for as long as that drawing took, layout and paint with it. So a slow
 * machine draws less often, and still hears what comes.
 */

import type { Schedule } from "../store/pulse.ts";

/** Ten drawings a second are more than can be read. */
const LEAST_APART_MS = 100;
/** A tab that was asleep in the middle of a drawing is not slow. */
const MOST_PAUSE_MS = 500;
/** A hidden page is not drawn; what comes is taken all the same. */
const HIDDEN_PAUSE_MS = 1_000;

export function paced(): Schedule {
  let isDrawing = false;
  let freeAt = 0;
  const draw = (callback: () => void): void => {
    const begun = performance.now();
    isDrawing = true;
    callback();
    // A timer comes after the layout and paint of the frame.
    requestAnimationFrame(() =>
      setTimeout(() => {
        const done = performance.now();
        isDrawing = false;
        freeAt = Math.max(begun + LEAST_APART_MS, done + Math.min(MOST_PAUSE_MS, done - begun));
      }, 0),
    );
  };
  const ask = (callback: () => void): void => {
    const pause = isDrawing ? LEAST_APART_MS : freeAt - performance.now();
    if (document.visibilityState === "hidden") setTimeout(callback, HIDDEN_PAUSE_MS);
    else if (pause > 0) setTimeout(() => ask(callback), pause);
    else setTimeout(() => draw(callback), 0);
  };
  return ask;
}
