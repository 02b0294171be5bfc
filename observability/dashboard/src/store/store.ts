/**
 * The one place where frames come in: plain data that panels read.
 *
 * Frames are only put in a queue when they arrive. They are taken in one go before the page is drawn, so the work of a
 * frame does not depend on how the network cut the stream.
 */

import type { Gap, Hello, Message, State } from "../../../../stages/ws-broadcast/web/client.ts";
import { Minute } from "../data/minute.ts";
import { Ring } from "../data/ring.ts";
import { Markets } from "./markets.ts";
import type { PageSettings } from "./page.ts";
import type { Pulse } from "./pulse.ts";
import { MOST_SERVERS, readReport, type StatusReport } from "./status.ts";
import { readTrade, type Trade, type Unreadable } from "./trade.ts";

/** Trades that the tape can show. */
export const KEPT_TRADES = 5_000;
/** Frames that may wait to be taken; a hidden page is not drawn for long. */
const MOST_WAITING = 2_000;

/** Trades without a position that are remembered, to tell those that come again. */
const MOST_UNPLACED = 10_000;

/**
 * A connection begins with the past, and what comes meanwhile waits behind it: so long neither rate, latency nor clocks are told.
 */
export const SETTLING_MS = 5_000;
/** Seconds that a rate is told of. */
const RATE_SECONDS = 5;

/** Partitions that the tape can be filtered by. */
const MOST_PARTITIONS = 1_000;

export interface Link {
  state: State;
  server: string;
  /** Since when, by this browser's clock. */
  since: number;
  /** The greeting of the server that the page is, or was, connected to. */
  hello: Hello | undefined;
}

export interface Counters {
  trades: number;
  /** Messages that came again and were dropped. */
  duplicates: number;
  /** Messages that no server has any more. */
  missing: number;
  /** How often a partition began again. */
  resets: number;
  unreadable: Map<Unreadable, number>;
}

interface Waiting {
  message: Message;
  raw: string;
  at: number;
}

export class Store {
  readonly openedAt: number;
  readonly pulse: Pulse;
  /** Newest last; what the tape shows. */
  readonly trades = new Ring<Trade>(KEPT_TRADES);
  readonly markets = new Markets();
  /** End-to-end latency of what was live, in milliseconds. */
  readonly latency = new Minute();
  /** By how much this browser's clock is ahead of the one that polls the status servers: the least is the best guess. */
  readonly clock = new Minute();
  /** When the last message that cannot be read came, and how many there were. */
  readonly unreadableNow = { at: 0, total: 0 };
  /** Trades that were live, by when they arrived. */
  readonly arrivals = new Minute();
  /** The newest report of each status server, by its URL. */
  readonly status = new Map<string, StatusReport>();
  readonly gaps = new Ring<{ at: number; gap: Gap }>(100);
  readonly counters: Counters = { trades: 0, duplicates: 0, missing: 0, resets: 0, unreadable: new Map() };
  readonly link: Link;
  /** What the pipeline file says to the page. */
  page: PageSettings = {};
  /** When the last trade that is not of the past arrived. */
  lastTradeAt: number | undefined;
  readonly #partitions = new Set<number>();
  readonly #unplaced = new Set<string>();
  readonly #now: () => number;
  readonly #reportListeners = new Set<(report: StatusReport) => void>();
  #waiting: Waiting[] = [];
  /** Newest offset of each partition when the connection was made. */
  #head = new Map<string, number>();

  constructor(now: () => number, pulse: Pulse) {
    this.#now = now;
    this.pulse = pulse;
    this.openedAt = now();
    this.link = { state: "stopped", server: "", since: this.openedAt, hello: undefined };
    pulse.before(() => this.take());
  }

  now(): number {
    return this.#now();
  }

  /** Called for each report as it is taken, in order; returns what ends that. For those who keep series. */
  onReport(listener: (report: StatusReport) => void): () => void {
    this.#reportListeners.add(listener);
    return () => this.#reportListeners.delete(listener);
  }

  /** A message that arrived at a time, in milliseconds since 1970. */
  message(message: Message, raw: string, at: number): void {
    this.#waiting.push({ message, raw, at });
    if (this.#waiting.length >= MOST_WAITING) this.take();
    this.pulse.changed();
  }

  gap(gap: Gap): void {
    if (gap.reason === "reset") this.counters.resets += 1;
    else this.counters.missing += gap.to === undefined ? 0 : gap.to - gap.from + 1;
    this.gaps.add({ at: this.#now(), gap });
    this.pulse.changed();
  }

  hello(hello: Hello): void {
    this.link.hello = hello;
    this.#head = readHead(hello.head ?? "");
    this.pulse.changed();
  }

  state(state: State, server: string): void {
    // The waits and tries of one outage are one state of affairs: its beginning stays.
    const isSameOutage = isOut(state) && isOut(this.link.state);
    if (!isSameOutage) this.link.since = this.#now();
    this.link.state = state;
    this.link.server = server;
    this.pulse.changed();
  }

  duplicate(): void {
    this.counters.duplicates += 1;
    this.pulse.changed();
  }

  unreadable(why: Unreadable): void {
    this.counters.unreadable.set(why, (this.counters.unreadable.get(why) ?? 0) + 1);
    this.unreadableNow.at = this.#now();
    this.unreadableNow.total += 1;
    this.pulse.changed();
  }

  /** Live trades a second of the last seconds; nothing while the connection begins. */
  rate(): number | undefined {
    const now = this.#now();
    const settledAt = this.link.since + SETTLING_MS;
    const seconds = Math.min(RATE_SECONDS, Math.floor(now / 1000) - Math.ceil(settledAt / 1000));
    return this.link.state === "live" && seconds >= 1 ? this.arrivals.rate(now, seconds) : undefined;
  }

  /** Whether the connection has only begun. */
  isSettling(at: number): boolean {
    return this.link.state === "live" && at - this.link.since < SETTLING_MS;
  }

  /** Partitions that trades came from. */
  partitions(): number[] {
    return [...this.#partitions].sort((a, b) => a - b);
  }

  /** Keeps candles of this market, whatever else trades. */
  watch(symbol: string): void {
    const known = this.trades.select(KEPT_TRADES, (trade) => trade.symbol === symbol);
    this.markets.watch(symbol, known);
  }

  /** Takes all that waits. */
  take(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { message, raw, at } of waiting) this.#takeOne(message, raw, at);
  }

  #takeOne(message: Message, raw: string, at: number): void {
    const report = readReport(message, at);
    if (report !== undefined) {
      this.#takeReport(report);
      return;
    }
    const trade = readTrade(message, raw, at, this.counters.trades);
    if (typeof trade === "string") {
      this.unreadable(trade);
      return;
    }
    if (this.#isKnown(trade)) {
      this.duplicate();
      return;
    }
    this.counters.trades += 1;
    this.trades.add(trade);
    this.markets.add(trade);
    if (trade.position !== undefined && this.#partitions.size < MOST_PARTITIONS) {
      this.#partitions.add(trade.position.partition);
    }
    if (this.#isPast(trade, message)) return;
    this.lastTradeAt = at;
    if (this.isSettling(at)) return;
    this.arrivals.record(at, 0);
    if (trade.hops.received !== undefined) this.latency.record(at, at - trade.hops.received);
  }

  /** A trade without a position comes by every server that has it: what tells it is the exchange's own id. */
  #isKnown({ position, venue, symbol, id }: Trade): boolean {
    if (position !== undefined || id === null) return false;
    const name = JSON.stringify([venue, symbol, id]);
    if (this.#unplaced.has(name)) return true;
    this.#unplaced.add(name);
    if (this.#unplaced.size > MOST_UNPLACED) {
      for (const oldest of this.#unplaced) {
        this.#unplaced.delete(oldest);
        break;
      }
    }
    return false;
  }

  #takeReport(report: StatusReport): void {
    if (!this.status.has(report.url) && this.status.size >= MOST_SERVERS) return;
    this.status.set(report.url, report);
    this.clock.record(report.heardAt, report.heardAt - report.at - (report.tookMs ?? 0));
    for (const listener of this.#reportListeners) listener(report);
  }

  /** What a server kept for who comes later says nothing about how fast messages come. */
  #isPast({ position }: Trade, message: Message): boolean {
    if (message.replay === true) return true;
    if (position === undefined) return false;
    return position.offset <= (this.#head.get(`${position.topic}/${position.partition}`) ?? -1);
  }
}

function isOut(state: State): boolean {
  return state === "connecting" || state === "waiting";
}

/** Reads `topic/partition:offset,…`. */
function readHead(head: string): Map<string, number> {
  const offsets = new Map<string, number>();
  for (const item of head.split(",")) {
    const colon = item.lastIndexOf(":");
    const offset = Number(item.slice(colon + 1));
    if (colon > 0 && Number.isSafeInteger(offset)) offsets.set(item.slice(0, colon), offset);
  }
  return offsets;
}
