/**
 * How far another machine's clock is from the one that polls it.
 *
 * A document says when it was made; it was made at the latest when the poll ended. The largest difference of the last
 * documents is the best guess, for it belongs to the freshest one. Less than a second and a half may be nothing but the age
 * of documents, and counts as none.
 */

const KEPT = 30;
/** Below this a difference says nothing. */
export const NOISE_MS = 1_500;

export class Clock {
  readonly #seen: number[] = [];

  /** Notes a document of `madeAt`, by the other clock, that a poll from `askedAt` on took `tookMs` to get. */
  note(madeAt: number, askedAt: number, tookMs: number): void {
    this.#seen.push(madeAt - askedAt - tookMs / 2);
    if (this.#seen.length > KEPT) this.#seen.shift();
  }

  /** By how much the other clock is ahead, in milliseconds. */
  get aheadMs(): number {
    if (this.#seen.length === 0) return 0;
    const ahead = Math.max(...this.#seen);
    return Math.abs(ahead) < NOISE_MS ? 0 : ahead;
  }
}
