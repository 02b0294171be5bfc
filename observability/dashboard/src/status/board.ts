/** All status servers together: what the panels of consumers, Kafka, flow and clients are drawn from. */

import type { StatusReport } from "../store/status.ts";
import type { Store } from "../store/store.ts";
import { Seat } from "./seat.ts";
import { Shares } from "./shares.ts";
import { type Timeline, tell } from "./timeline.ts";

/** Status servers that are followed. */
const MOST_SEATS = 200;
/** A status server that the page hears nothing of for so long is not being polled. */
export const UNHEARD_MS = 10_000;

export class Board {
  readonly seats = new Map<string, Seat>();
  readonly shares = new Shares();
  /** Counts what was taken, for those who compute from it once. */
  version = 0;
  /** By how much this browser's clock is ahead of the polling one. */
  aheadMs = 0;
  #newestAt = 0;
  /** Servers are only ever added: sorting them anew each time took more than all else that health is told from. */
  #sorted: readonly Seat[] = [];
  #timeline: Timeline | undefined;

  take(report: StatusReport): void {
    let seat = this.seats.get(report.url);
    if (seat === undefined) {
      if (this.seats.size >= MOST_SEATS) return;
      seat = new Seat(report.url);
      this.seats.set(report.url, seat);
    }
    const before = seat.samples.at(-1);
    if (!seat.take(report)) return;
    this.version += 1;
    this.#timeline = undefined;
    this.#newestAt = Math.max(this.#newestAt, report.at);
    this.aheadMs = report.heardAt - report.at - (report.tookMs ?? 0);
    const after = seat.samples.at(-1);
    if (before !== undefined && after !== undefined && after !== before) this.shares.add(seat.host, before, after);
  }

  /** When the newest poll was, by the polling clock: the "now" of everything here. */
  get now(): number {
    return this.#newestAt;
  }

  get timeline(): Timeline {
    this.#timeline ??= tell([...this.seats.values()].map((seat) => seat.log));
    return this.#timeline;
  }

  /** The servers, by address. */
  get sorted(): readonly Seat[] {
    if (this.#sorted.length !== this.seats.size) {
      this.#sorted = [...this.seats.values()].sort(
        (one, other) =>
          one.host.localeCompare(other.host, "en", { numeric: true }) || Number(one.port) - Number(other.port),
      );
    }
    return this.#sorted;
  }
}

const boards = new WeakMap<Store, Board>();

/** The board of a store; made with the first question, from what the store knows then. */
export function boardOf(store: Store): Board {
  let board = boards.get(store);
  if (board === undefined) {
    const made = new Board();
    for (const report of store.status.values()) made.take(report);
    store.onReport((report) => made.take(report));
    boards.set(store, made);
    board = made;
  }
  return board;
}
