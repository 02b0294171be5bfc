/** What an operator watches, once a second: trades a second, latency, total lag of the last five minutes. */

import type { Store } from "../store/store.ts";
import { totalLag } from "./lag.ts";

export const SECONDS = 300;
/** Seconds that one latency speaks for. */
const SPAN = 5;

export interface Vitals {
  readonly rate: number | null;
  /** In milliseconds. */
  readonly p50: number | null;
  readonly p99: number | null;
  /** In messages. */
  readonly lag: number | null;
}

const UNKNOWN: Vitals = { rate: null, p50: null, p99: null, lag: null };

export class VitalsHistory {
  readonly #bySecond = new Map<number, Vitals>();

  /** Notes how the store is at `now`; the last note of a second counts. */
  note(store: Store, now: number): void {
    const second = Math.floor(now / 1000);
    this.#bySecond.set(second, vitalsOf(store, now));
    for (const old of this.#bySecond.keys()) {
      if (old <= second - SECONDS || old > second) this.#bySecond.delete(old);
    }
  }

  /** The last seconds, oldest first, those without a note as unknown. */
  last(now: number): { times: number[]; vitals: Vitals[] } {
    const newest = Math.floor(now / 1000);
    const times = Array.from({ length: SECONDS }, (_, index) => newest - SECONDS + 1 + index);
    return { times, vitals: times.map((second) => this.#bySecond.get(second) ?? UNKNOWN) };
  }
}

function vitalsOf(store: Store, now: number): Vitals {
  if (store.link.state !== "live") return UNKNOWN;
  return {
    rate: store.rate() ?? null,
    p50: store.latency.quantile(now, 0.5, SPAN) ?? null,
    p99: store.latency.quantile(now, 0.99, SPAN) ?? null,
    lag: totalLag(store).messages ?? null,
  };
}

const histories = new WeakMap<Store, VitalsHistory>();

/** The history of a store. */
export function historyOf(store: Store): VitalsHistory {
  let history = histories.get(store);
  if (history === undefined) {
    history = new VitalsHistory();
    histories.set(store, history);
  }
  return history;
}
