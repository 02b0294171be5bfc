/** The way of one trade: how long it took from place to place, and where clocks cannot agree. */

import type { Hops } from "../../store/trade.ts";

/** The places in their order, each with whose clock it is timed by. */
export const PLACES = [
  { place: "traded", clock: "exchange" },
  { place: "received", clock: "producer" },
  { place: "produced", clock: "producer" },
  { place: "consumed", clock: "consumer" },
  { place: "posted", clock: "consumer" },
  { place: "accepted", clock: "server" },
  { place: "arrived", clock: "browser" },
] as const;

export type Place = (typeof PLACES)[number]["place"];
export type Clock = (typeof PLACES)[number]["clock"];

export interface Leg {
  readonly from: Place;
  readonly to: Place;
  readonly start: number;
  /** Milliseconds; below zero when the clocks differ by at least that. */
  readonly ms: number;
  /** Set when the later place's clock is behind the earlier one's. */
  readonly skew: { readonly ahead: Clock; readonly behind: Clock; readonly ms: number } | undefined;
}

/** Kafka keeps whole milliseconds: less than one says nothing about clocks. */
const TOLERANCE_MS = 1;

/** The legs between the places whose time is known. */
export function legsOf(hops: Hops): Leg[] {
  const known = PLACES.flatMap(({ place, clock }) => {
    const at = hops[place];
    return at === undefined ? [] : [{ place, clock, at }];
  });
  return known.slice(1).map((to, index) => {
    const from = known[index] as (typeof known)[number];
    const ms = to.at - from.at;
    const isSkewed = ms < -TOLERANCE_MS && from.clock !== to.clock;
    return {
      from: from.place,
      to: to.place,
      start: from.at,
      ms,
      skew: isSkewed ? { ahead: from.clock, behind: to.clock, ms: -ms } : undefined,
    };
  });
}

/** Where a leg's bar stands, in per cent of the whole way. */
export function barOf({ start, ms }: Leg, legs: readonly Leg[]): { left: number; width: number } {
  const ends = legs.flatMap((leg) => [leg.start, leg.start + leg.ms]);
  const [first, last] = [Math.min(...ends), Math.max(...ends)];
  const whole = Math.max(last - first, 0.001);
  return { left: ((Math.min(start, start + ms) - first) / whole) * 100, width: (Math.abs(ms) / whole) * 100 };
}

/** The trace of a sampled message: only those are in Jaeger. */
export function sampledTrace(trace: string | undefined): string | undefined {
  const parts = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})$/.exec(trace ?? "");
  if (parts === null) return undefined;
  const [, id, flags = "0"] = parts;
  return (Number.parseInt(flags, 16) & 1) === 1 ? id : undefined;
}
