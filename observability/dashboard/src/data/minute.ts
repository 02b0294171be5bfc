/**
 * What the last minute was like: counts and the spread of a quantity, in one slot a second.
 *
 * Values fall into buckets that are 5 % wide, so a quantile is right to 5 % however many values there are.
 */

const SLOTS = 60;
const GROWTH = Math.log(1.05);
/** Up to 0.1 × 1.05^360: more than an hour in milliseconds. */
const BUCKETS = 361;

class Slot {
  second = -1;
  count = 0;
  least = Number.POSITIVE_INFINITY;
  readonly buckets = new Uint32Array(BUCKETS);

  reset(second: number): void {
    this.second = second;
    this.count = 0;
    this.least = Number.POSITIVE_INFINITY;
    this.buckets.fill(0);
  }
}

/** The values of the last 60 s. */
export class Minute {
  readonly #slots = Array.from({ length: SLOTS }, () => new Slot());

  /** Counts a value; `now` in milliseconds. A value below zero counts as zero, and in `least` as it is. */
  record(now: number, value: number): void {
    const slot = this.#slot(now);
    slot.count += 1;
    slot.least = Math.min(slot.least, value);
    const bucket = bucketOf(value);
    slot.buckets[bucket] = (slot.buckets[bucket] ?? 0) + 1;
  }

  /** Values a second, over the last `seconds` that are over. */
  rate(now: number, seconds: number): number {
    return this.#last(now - 1000, seconds).reduce((sum, slot) => sum + slot.count, 0) / seconds;
  }

  /** The smallest value of the minute. */
  least(now: number): number | undefined {
    const least = Math.min(...this.#last(now, SLOTS).map((slot) => slot.least));
    return Number.isFinite(least) ? least : undefined;
  }

  /** The value that a `share` (0 to 1) of the values of the last `seconds` do not exceed. */
  quantile(now: number, share: number, seconds = SLOTS): number | undefined {
    const slots = this.#last(now, seconds);
    const total = slots.reduce((sum, slot) => sum + slot.count, 0);
    if (total === 0) return undefined;
    let left = Math.max(1, Math.ceil(total * share));
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      for (const slot of slots) left -= slot.buckets[bucket] ?? 0;
      if (left <= 0) return middleOf(bucket);
    }
    return middleOf(BUCKETS - 1);
  }

  #slot(now: number): Slot {
    const second = Math.floor(now / 1000);
    const slot = this.#slots[second % SLOTS] as Slot;
    if (slot.second !== second) slot.reset(second);
    return slot;
  }

  #last(now: number, seconds: number): Slot[] {
    const newest = Math.floor(now / 1000);
    return this.#slots.filter((slot) => slot.second > newest - seconds && slot.second <= newest);
  }
}

function bucketOf(value: number): number {
  if (!(value > 0.1)) return 0;
  return Math.min(BUCKETS - 1, Math.ceil(Math.log(value / 0.1) / GROWTH));
}

function middleOf(bucket: number): number {
  return 0.1 * Math.exp(GROWTH * bucket);
}
