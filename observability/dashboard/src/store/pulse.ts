/** Tells panels that there is news, once a frame at most, however much came. */

type Listener = () => void;

/** Calls back before the page is drawn next. */
export type Schedule = (callback: Listener) => void;

export class Pulse {
  readonly #before = new Set<Listener>();
  readonly #listeners = new Set<Listener>();
  readonly #schedule: Schedule;
  #isDue = false;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
  }

  /** Runs ahead of every beat's listeners. */
  before(listener: Listener): void {
    this.#before.add(listener);
  }

  /** Runs at every beat; returns what ends that. */
  listen(listener: Listener): Listener {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Something is new: the next frame will have a beat. */
  changed(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#schedule(() => {
      this.#isDue = false;
      for (const listener of this.#before) listener();
      for (const listener of [...this.#listeners]) listener();
    });
  }
}
