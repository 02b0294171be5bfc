/** The newest items of a stream: a fixed number of places, the oldest gives way. */
export class Ring<T> {
  readonly #places: (T | undefined)[];
  #added = 0;

  constructor(readonly capacity: number) {
    this.#places = new Array(capacity);
  }

  get length(): number {
    return Math.min(this.#added, this.capacity);
  }

  /** How many were ever added. */
  get added(): number {
    return this.#added;
  }

  add(item: T): void {
    this.#places[this.#added % this.capacity] = item;
    this.#added += 1;
  }

  /** The item that came `back` items before the newest one. */
  newest(back = 0): T | undefined {
    if (back < 0 || back >= this.length) return undefined;
    return this.#places[(this.#added - 1 - back) % this.capacity];
  }

  /** Up to `most` items that pass, newest first. */
  select(most: number, passes: (item: T) => boolean): T[] {
    const chosen: T[] = [];
    for (let back = 0; back < this.length && chosen.length < most; back += 1) {
      const item = this.newest(back);
      if (item !== undefined && passes(item)) chosen.push(item);
    }
    return chosen;
  }
}
