/** What a status server answered, as `http-poll-source` tells it. */

import type { Message } from "../../../../stages/ws-broadcast/web/client.ts";
import { fromNanos } from "../data/instant.ts";
import { isRecord } from "./trade.ts";

export interface StatusReport {
  readonly url: string;
  /** When it was asked, by the dashboard server's clock; milliseconds since 1970. */
  readonly at: number;
  /** When the page heard of it, by this browser's clock. */
  readonly heardAt: number;
  /** How long the answer took, in milliseconds. */
  readonly tookMs: number | undefined;
  /** HTTP status, when there was one. */
  readonly status: number | undefined;
  /** JSON as it was sent, or text. */
  readonly body: unknown;
  /** Why there is no answer. */
  readonly error: string | undefined;
}

/** Status servers that are kept. */
export const MOST_SERVERS = 200;

/** Reads a report; nothing when the message is none. */
export function readReport({ data }: Message, heardAt: number): StatusReport | undefined {
  if (!isRecord(data) || typeof data["url"] !== "string" || "price" in data) return undefined;
  const { url, body, error, status, took_ms: took } = data;
  if (!("body" in data) && typeof error !== "string") return undefined;
  return {
    url,
    at: fromNanos(data["at"]) ?? heardAt,
    heardAt,
    tookMs: typeof took === "number" ? took : undefined,
    status: typeof status === "number" ? status : undefined,
    body,
    error: typeof error === "string" ? error : undefined,
  };
}
