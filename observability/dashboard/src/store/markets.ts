/** The markets that were seen, and candles of those that traded last. */

import { Candles } from "./candles.ts";
import type { Trade } from "./trade.ts";
import { compareTrades } from "./trade.ts";

/** Seconds of a candle, and how many candles are kept. */
export const INTERVALS = [
  { seconds: 1, kept: 900 },
  { seconds: 5, kept: 720 },
  { seconds: 60, kept: 720 },
  { seconds: 300, kept: 288 },
] as const;

export type Interval = (typeof INTERVALS)[number]["seconds"];

/** Markets whose candles are kept; of further ones only the last trade is known. */
export const MOST_CHARTED = 40;
/** Names that are kept at all: a feed gone mad must not take the page's memory. */
export const MOST_MARKETS = 20_000;

export interface Market {
  readonly symbol: string;
  last: Trade;
  trades: number;
  /** Missing when more markets trade than are charted. */
  candles: Map<number, Candles> | undefined;
}

export class Markets {
  readonly #markets = new Map<string, Market>();
  /** In the order in which they were last looked at: the first one gives way. */
  readonly #charted = new Set<string>();
  #symbols: readonly string[] = [];

  get size(): number {
    return this.#markets.size;
  }

  get(symbol: string): Market | undefined {
    return this.#markets.get(symbol);
  }

  all(): Iterable<Market> {
    return this.#markets.values();
  }

  /** In alphabetical order. */
  symbols(): readonly string[] {
    if (this.#symbols.length !== this.#markets.size) this.#symbols = [...this.#markets.keys()].sort();
    return this.#symbols;
  }

  add(trade: Trade): void {
    const market = this.#markets.get(trade.symbol) ?? this.#open(trade);
    if (market === undefined) return;
    market.trades += 1;
    if (compareTrades(trade, market.last) > 0) market.last = trade;
    for (const candles of market.candles?.values() ?? []) candles.add(trade);
  }

  /** Keeps candles of this market from now on, whatever else trades; `trades` are those still known of it. */
  watch(symbol: string, trades: Iterable<Trade>): void {
    const market = this.#markets.get(symbol);
    if (market === undefined) return;
    if (market.candles === undefined) {
      const made = this.#chart(market);
      for (const trade of trades) for (const candles of made.values()) candles.add(trade);
    }
    this.#charted.delete(symbol);
    this.#charted.add(symbol);
  }

  #open(trade: Trade): Market | undefined {
    if (this.#markets.size >= MOST_MARKETS) return undefined;
    const market: Market = { symbol: trade.symbol, last: trade, trades: 0, candles: undefined };
    this.#markets.set(trade.symbol, market);
    if (this.#charted.size < MOST_CHARTED) this.#chart(market);
    return market;
  }

  #chart(market: Market): Map<number, Candles> {
    if (this.#charted.size >= MOST_CHARTED) {
      const [oldest] = this.#charted;
      if (oldest !== undefined) {
        this.#charted.delete(oldest);
        const other = this.#markets.get(oldest);
        if (other !== undefined) other.candles = undefined;
      }
    }
    const candles = new Map(INTERVALS.map(({ seconds, kept }) => [seconds, new Candles(seconds, kept)]));
    market.candles = candles;
    this.#charted.add(market.symbol);
    return candles;
  }
}
