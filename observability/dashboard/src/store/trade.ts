/** One trade as the page keeps it: read once from a message, never changed. */

import type { Message } from "../../../../stages/ws-broadcast/web/client.ts";
import { type Decimal, parseDecimal } from "../data/decimal.ts";
import { fromNanos, parseInstant } from "../data/instant.ts";

export type Side = "buy" | "sell";

/** When the trade passed each place, in milliseconds since 1970 by the clock of that place. */
export interface Hops {
  traded: number;
  received?: number;
  produced?: number;
  consumed?: number;
  posted?: number;
  accepted?: number;
  /** By this browser's clock. */
  arrived: number;
}

export interface Trade {
  /** Counts the trades of this page. */
  readonly sequence: number;
  readonly venue: string;
  readonly symbol: string;
  /** As the exchange sent it. */
  readonly price: string;
  readonly size: string;
  readonly priceValue: Decimal;
  readonly sizeValue: Decimal;
  readonly side: Side | undefined;
  readonly id: string | null;
  /** Microseconds since 1970 by the exchange's clock. */
  readonly tradedAt: number;
  readonly hops: Hops;
  /** The WebSocket server that it came in by. */
  readonly server: string;
  readonly position: { readonly topic: string; readonly partition: number; readonly offset: number } | undefined;
  /** W3C trace context. */
  readonly trace: string | undefined;
  /** The frame as it came. */
  readonly raw: string;
}

/** Why a message is no trade: the key of a word. */
export type Unreadable = "notJson" | "noTrade" | "price" | "size" | "time" | "symbol";

const LONGEST_SYMBOL = 64;

/** Reads a trade; says why when the message is none. */
export function readTrade(message: Message, raw: string, arrived: number, sequence: number): Trade | Unreadable {
  const { data } = message;
  if (!isRecord(data) || !("price" in data) || !("symbol" in data)) return "noTrade";
  const { symbol, price, size } = data;
  if (typeof symbol !== "string" || symbol === "" || symbol.length > LONGEST_SYMBOL) return "symbol";
  const priceValue = typeof price === "string" ? parseDecimal(price) : undefined;
  if (typeof price !== "string" || priceValue === undefined) return "price";
  const sizeValue = typeof size === "string" ? parseDecimal(size) : undefined;
  if (typeof size !== "string" || sizeValue === undefined) return "size";
  const tradedAt = typeof data["traded_at"] === "string" ? parseInstant(data["traded_at"]) : undefined;
  if (tradedAt === undefined) return "time";
  const { side, trade_id: id, venue } = data;
  return {
    sequence,
    venue: typeof venue === "string" ? venue.slice(0, LONGEST_SYMBOL) : "",
    symbol,
    price,
    size,
    priceValue,
    sizeValue,
    side: side === "buy" || side === "sell" ? side : undefined,
    id: typeof id === "string" ? id : null,
    tradedAt,
    hops: readHops(message, tradedAt, arrived),
    server: message.from,
    position: readPosition(message),
    trace: typeof message.trace === "string" ? message.trace : undefined,
    raw,
  };
}

function readHops({ times, timestamp }: Message, tradedAt: number, arrived: number): Hops {
  const hops: Hops = { traded: tradedAt / 1000, arrived };
  const received = fromNanos(times?.received ?? timestamp);
  if (received !== undefined) hops.received = received;
  for (const place of ["produced", "consumed", "posted", "accepted"] as const) {
    const at = fromNanos(times?.[place]);
    if (at !== undefined) hops[place] = at;
  }
  return hops;
}

function readPosition({ topic, partition, offset }: Message): Trade["position"] {
  if (typeof topic !== "string" || typeof partition !== "number" || typeof offset !== "number") return undefined;
  return { topic, partition, offset };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The order of the exchange: by time, then by id (as numbers where both are). */
export function compareTrades(a: TradeOrder, b: TradeOrder): number {
  return a.tradedAt - b.tradedAt || compareIds(a.id ?? "", b.id ?? "");
}

export type TradeOrder = Pick<Trade, "tradedAt" | "id">;

const DIGITS = /^\d+$/;

function compareIds(a: string, b: string): number {
  if (a.length !== b.length && DIGITS.test(a) && DIGITS.test(b)) {
    const [left, right] = [a.replace(/^0+/, ""), b.replace(/^0+/, "")];
    return left.length - right.length || compareTexts(left, right) || compareTexts(a, b);
  }
  return compareTexts(a, b);
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
