/**
 * What came by a WebSocket and waits for the page: handed over in batches, one at a time.
 *
 * Invariant: the page has one batch to take at most, so a page that is busy finds none of its tasks larger than `BATCH`; what
 * waits is bounded, since a WebSocket cannot be told to wait.
 */

/** A text frame, and when it came in milliseconds since 1970. */
export interface Frame {
  data: string;
  at: number;
}

/** Most frames of a batch: some milliseconds of work. */
export const BATCH = 500;
/** Batches come so far apart at least, in milliseconds, unless they are full; the page is drawn half as often. */
export const APART_MS = 50;
/** Most characters that wait: some ten seconds of thousands of trades. */
export const MOST_WAITING = 16 * 1024 * 1024;

export class Frames {
  readonly #hand: (batch: Frame[]) => void;
  readonly #waiting: Frame[] = [];
  #characters = 0;
  #isTaken = true;
  #handedAt = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `hand` gives the page a batch, which it says to have taken by `taken`. */
  constructor(hand: (batch: Frame[]) => void) {
    this.#hand = hand;
  }

  /** Adds a frame; false when more wait than may. */
  add(frame: Frame): boolean {
    this.#waiting.push(frame);
    this.#characters += frame.data.length;
    if (this.#waiting.length >= BATCH) this.#next();
    else this.#timer ??= setTimeout(() => this.#next(), Math.max(0, this.#handedAt + APART_MS - performance.now()));
    return this.#characters <= MOST_WAITING;
  }

  /** The page has taken the last batch: what has waited long enough follows. */
  taken(): void {
    this.#isTaken = true;
    if (this.#timer === undefined || this.#waiting.length >= BATCH) this.#next();
  }

  /** Hands over all that waits: no more will come. */
  end(): void {
    clearTimeout(this.#timer);
    while (this.#waiting.length > 0) this.#handBatch();
  }

  #next(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#isTaken || this.#waiting.length === 0) return;
    this.#isTaken = false;
    this.#handBatch();
  }

  #handBatch(): void {
    this.#handedAt = performance.now();
    const batch = this.#waiting.splice(0, BATCH);
    for (const { data } of batch) this.#characters -= data.length;
    this.#hand(batch);
  }
}
