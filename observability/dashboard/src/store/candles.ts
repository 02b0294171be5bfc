/**
 * Candles of one symbol and interval.
 *
 * Invariant: the candles depend on which trades came, not on the order in which they came. A late trade corrects its
 * candle: each remembers which of its trades was first and last by the exchange's order.
 */

import { addDecimals, compareDecimals, type Decimal } from "../data/decimal.ts";
import { compareTrades, type Trade, type TradeOrder } from "./trade.ts";

/** What a candle needs of a trade. */
export type Tick = Pick<Trade, "price" | "priceValue" | "sizeValue"> & TradeOrder;

export interface Candle {
  /** Where it begins, in seconds since 1970. */
  readonly time: number;
  first: Tick;
  last: Tick;
  high: Tick;
  low: Tick;
  volume: Decimal;
  trades: number;
}

/** How many candles more than asked for may be kept, so that the oldest are dropped seldom. */
const SPARE = 100;

export class Candles {
  readonly #candles: Candle[] = [];
  /** Changes when a candle other than the newest one changed, was added or dropped. */
  #rewritten = 0;

  constructor(
    readonly seconds: number,
    readonly capacity: number,
  ) {}

  get rewritten(): number {
    return this.#rewritten;
  }

  /** Oldest first. */
  get all(): readonly Candle[] {
    return this.#candles;
  }

  get newest(): Candle | undefined {
    return this.#candles.at(-1);
  }

  /** Takes a trade; false when it is older than everything that is kept. */
  add(tick: Tick): boolean {
    const time = Math.floor(tick.tradedAt / 1e6 / this.seconds) * this.seconds;
    const place = this.#placeOf(time);
    const there = this.#candles[place];
    if (there?.time === time) {
      widen(there, tick);
      if (place !== this.#candles.length - 1) this.#rewritten += 1;
      return true;
    }
    if (place === 0 && this.#candles.length >= this.capacity) return false;
    if (place !== this.#candles.length) this.#rewritten += 1;
    this.#candles.splice(place, 0, begin(time, tick));
    if (this.#candles.length > this.capacity + SPARE) {
      this.#candles.splice(0, SPARE);
      this.#rewritten += 1;
    }
    return true;
  }

  /** Where the candle of this time is or belongs: late ones are near the end. */
  #placeOf(time: number): number {
    let place = this.#candles.length;
    while (place > 0 && (this.#candles[place - 1] as Candle).time >= time) place -= 1;
    return place;
  }
}

function begin(time: number, tick: Tick): Candle {
  return { time, first: tick, last: tick, high: tick, low: tick, volume: tick.sizeValue, trades: 1 };
}

function widen(candle: Candle, tick: Tick): void {
  if (compareTrades(tick, candle.first) < 0) candle.first = tick;
  if (compareTrades(tick, candle.last) > 0) candle.last = tick;
  if (isAbove(tick, candle.high)) candle.high = tick;
  if (isAbove(candle.low, tick)) candle.low = tick;
  candle.volume = addDecimals(candle.volume, tick.sizeValue);
  candle.trades += 1;
}

function isAbove(a: Tick, b: Tick): boolean {
  return compareDecimals(a.priceValue, b.priceValue) > 0;
}
