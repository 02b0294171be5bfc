/** Status documents as the tests need them. */

import type { StatusReport } from "../store/status.ts";

export interface MemberSketch {
  readonly host?: string;
  readonly port?: number;
  readonly member: string;
  /** When it was polled, milliseconds. */
  readonly at: number;
  /** The member's own clock; that of the poll if left out. */
  readonly atMs?: number;
  readonly joined?: boolean;
  readonly state?: string;
  readonly partitions?: readonly Record<string, unknown>[];
  readonly recent?: readonly { readonly at: number; readonly kind: string; readonly partitions: readonly number[] }[];
  readonly count?: number;
  readonly layout?: unknown;
  readonly brokers?: readonly unknown[];
  readonly sent?: number;
}

/** An answer of a consumer's status server. */
export function memberReport(sketch: MemberSketch): StatusReport {
  const { member, at, recent = [], partitions = [] } = sketch;
  const document = {
    at_ms: sketch.atMs ?? at,
    topic: "stock_trade",
    group: "g",
    protocol: "classic",
    member,
    joined: sketch.joined ?? true,
    state: sketch.state ?? "up/steady",
    lag: 0,
    partitions,
    rebalances: { count: sketch.count ?? recent.length, recent },
    brokers: sketch.brokers ?? [],
    layout: sketch.layout,
  };
  const source = {
    name: "kafka-group-source",
    kind: "kafka-group-source",
    role: "source",
    sent: sketch.sent ?? 0,
    document,
  };
  return report(urlOf(sketch), at, { flow: "consumer", instance: 0, reasons: [], ready: true, stages: [source] });
}

export function urlOf({ host = "10.0.0.1", port = 8081 }: { host?: string; port?: number }): string {
  return `http://${host}:${port}/status`;
}

export function report(url: string, at: number, body: unknown, more: Partial<StatusReport> = {}): StatusReport {
  return { url, at, heardAt: at, tookMs: 0, status: 200, body, error: undefined, ...more };
}

export function failure(url: string, at: number, error = "cannot connect: Connection refused"): StatusReport {
  return report(url, at, undefined, { status: undefined, error });
}
