/** Messages for tests. */

import type { Message } from "../../../../stages/ws-broadcast/web/client.ts";
import { readTrade, type Trade } from "./trade.ts";

/** 2026-11-23T09:33:09Z, in milliseconds. */
export const SECOND = 1795426389000;

export interface Sample {
  price?: string;
  size?: string;
  symbol?: string;
  side?: string;
  id?: string | null;
  /** Milliseconds after `SECOND`. */
  at?: number;
  partition?: number;
  offset?: number;
}

export function message(sample: Sample = {}): Message {
  const { price = "100", size = "1", symbol = "KRW-BTC", side = "buy", id = "1", at = 0 } = sample;
  const entered = (SECOND + at + 2) * 1e6;
  return {
    type: "message",
    from: "127.0.1.1:8080",
    topic: "stock_trade",
    partition: sample.partition ?? 0,
    offset: sample.offset ?? 0,
    timestamp: entered,
    times: {
      received: entered,
      produced: entered,
      consumed: entered + 3e6,
      posted: entered + 4e6,
      accepted: entered + 5e6,
    },
    data: { venue: "upbit", symbol, price, size, side, trade_id: id, traded_at: new Date(SECOND + at).toISOString() },
  };
}

export function trade(sample: Sample = {}): Trade {
  const made = message(sample);
  const read = readTrade(made, JSON.stringify(made), SECOND + (sample.at ?? 0) + 10, 0);
  if (typeof read === "string") throw new Error(`the sample is no trade: ${read}`);
  return read;
}
