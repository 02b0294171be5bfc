/**
 * What the tape shows: the trades that pass a filter, newest first.
 *
 * It follows the store only when asked to, so a paused tape is one that is not asked. Each trade is looked at once.
 */

import { compareDecimals, type Decimal } from "../../data/decimal.ts";
import { Ring } from "../../data/ring.ts";
import type { Side, Trade } from "../../store/trade.ts";

export interface Filter {
  /** Part of the symbol, in any case; empty for all. */
  readonly symbol: string;
  readonly side: Side | "";
  /** Smallest size. */
  readonly size: Decimal | undefined;
  readonly partition: number | undefined;
}

export const EVERYTHING: Filter = { symbol: "", side: "", size: undefined, partition: undefined };

export function passes(trade: Trade, { symbol, side, size, partition }: Filter): boolean {
  return (
    (symbol === "" || trade.symbol.toLowerCase().includes(symbol.toLowerCase())) &&
    (side === "" || trade.side === side) &&
    (size === undefined || compareDecimals(trade.sizeValue, size) >= 0) &&
    (partition === undefined || trade.position?.partition === partition)
  );
}

export class TapeView {
  readonly #rows: Ring<Trade>;
  /** How many of all trades were looked at. */
  #seen = 0;

  constructor(
    readonly source: Ring<Trade>,
    readonly filter: Filter,
  ) {
    this.#rows = new Ring(source.capacity);
    this.#seen = source.added - source.length;
    this.follow();
  }

  get length(): number {
    return this.#rows.length;
  }

  /** Row `index`, the newest one first. */
  at(index: number): Trade | undefined {
    return this.#rows.newest(index);
  }

  /** Trades that came since the view was last asked to follow. */
  get newer(): number {
    return this.source.added - this.#seen;
  }

  follow(): void {
    for (let back = Math.min(this.newer, this.source.length) - 1; back >= 0; back -= 1) {
      const trade = this.source.newest(back);
      if (trade !== undefined && passes(trade, this.filter)) this.#rows.add(trade);
    }
    this.#seen = this.source.added;
  }
}
