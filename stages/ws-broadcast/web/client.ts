/**
 * Browser client of `ws-broadcast` (subprotocol `pipeline.v1`): every message once, from whichever server is there.
 *
 *     const client = new LiveClient({ urls: "/ws", recent: 100, onMessage: (message) => show(message.data) });
 *     client.start();
 *
 * It keeps the last offset of every partition. When the connection breaks it comes back with them (`?after=`), to the
 * same server or to another that carries the same messages, and goes on without a hole. A message that comes again is
 * dropped by its position. What no server has any more is told by `onGap`.
 */

/** When a message passed each place on its way: nanoseconds since 1970 (exact to 256 ns, as JavaScript numbers are). */
export interface Times {
  received?: number;
  produced?: number;
  consumed?: number;
  posted?: number;
  accepted?: number;
}

/** One message. */
export interface Message {
  type: "message";
  /** Name of the server that it came in by. */
  from: string;
  topic?: string;
  partition?: number;
  offset?: number;
  /** When the message entered the system, in nanoseconds since 1970. */
  timestamp?: number;
  times?: Times;
  /** W3C trace context. */
  trace?: string;
  /** True when a consumer read it again to refill the server. */
  replay?: boolean;
  key?: string;
  key_base64?: string;
  /** The payload when it is JSON. */
  data?: unknown;
  /** The payload when it is not. */
  data_base64?: string;
}

/** Messages of a partition that no server has any more, or a partition that began again (`reset`). */
export interface Gap {
  type: "gap";
  topic: string;
  partition: number;
  from: number;
  to?: number;
  reason: "evicted" | "skipped" | "reset";
}

/** The first frame of a connection. */
export interface Hello {
  type: "hello";
  server: string;
  /** Changes when the server starts with an empty ring. */
  epoch: string;
  /** Other servers that carry the same messages. */
  peers: string[];
  /** Newest offsets when the connection was made: `topic/partition:offset,…`. */
  head?: string;
}

/** What the client is doing; `paused` while its page is hidden, `waiting` until it tries again. */
export type State = "stopped" | "connecting" | "live" | "waiting" | "paused";

export interface Options {
  /** Addresses of servers, best first: `wss://host/ws`, or `/ws` for the page's own server. */
  urls: string | readonly string[];
  /** How many messages of the past to begin with. */
  recent?: number;
  /**
   * Each message once; `text` is the frame as it came, whose numbers are exact, and `at` is when, in milliseconds since
   * 1970 by this browser's clock.
   */
  onMessage: (message: Message, text: string, at: number) => void;
  onGap?: (gap: Gap) => void;
  onState?: (state: State, server: string) => void;
  onHello?: (hello: Hello) => void;
  /** A message that came before and was dropped. */
  onDuplicate?: (message: Message) => void;
  /** A frame that is no JSON object, or no message, gap or greeting of the right shape; it is left out. */
  onUnreadable?: (text: string) => void;
  /** First and longest wait between tries, in milliseconds (500 and 15,000). Each wait is random below its bound. */
  backoff?: { initial: number; max: number };
  /** After how many milliseconds a hidden page lets go of its connection (60,000). */
  hiddenAfter?: number;
  /**
   * After how many milliseconds without a single frame the connection counts as broken (twice that at most): a network
   * that is cut tells nobody. Only for servers that always have something to say; without it silence is no fault.
   */
  quietAfter?: number;
  /** What makes connections (the browser's WebSocket). */
  connect?: (url: string, protocol: string) => Socket;
}

/** The part of WebSocket that is used; `timeStamp` is that of an event, on the time line of `performance.now()`. */
export interface Socket {
  onmessage: ((event: { data: unknown; timeStamp: number }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  close(code?: number): void;
}

const PROTOCOL = "pipeline.v1";
/** Offsets of a partition that are remembered to tell duplicates. */
const REMEMBERED = 10_000;
/** Gaps that are remembered while other servers are asked for them. */
const MOST_ASKED = 100;
/** Time in which a server must greet, in milliseconds. */
const PATIENCE = 10_000;

/** What the client has of one partition. */
class Partition {
  /** Everything up to here has come, or is known to be gone. */
  last = -1;
  /** Offset to timestamp. */
  readonly #seen = new Map<number, number | undefined>();
  /** The offsets in the order in which they came, a ring: a map takes long to find what it got first. */
  readonly #order: number[] = [];
  #oldest = 0;

  constructor(
    readonly topic: string,
    readonly partition: number,
  ) {}

  /** Remembers a message; false when it came before. */
  take(offset: number, timestamp: number | undefined): boolean {
    const isKnown = this.#seen.has(offset);
    if (isKnown && this.#seen.get(offset) === timestamp) return false;
    this.#seen.set(offset, timestamp);
    if (!isKnown) this.#remember(offset);
    this.last = Math.max(this.last, offset);
    return true;
  }

  #remember(offset: number): void {
    const oldest = this.#order[this.#oldest];
    if (oldest !== undefined) this.#seen.delete(oldest);
    this.#order[this.#oldest] = offset;
    this.#oldest = (this.#oldest + 1) % REMEMBERED;
  }
}

export class LiveClient {
  readonly #options: Options;
  readonly #servers: string[];
  readonly #partitions = new Map<string, Partition>();
  /** Gaps that a server told, and how many servers have told it: others may have the messages. */
  readonly #asked = new Map<string, number>();
  #server = 0;
  #failures = 0;
  #socket: Socket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hidden: ReturnType<typeof setTimeout> | undefined;
  #hasHeard = false;
  #state: State = "stopped";

  constructor(options: Options) {
    this.#options = options;
    const urls = typeof options.urls === "string" ? [options.urls] : options.urls;
    this.#servers = urls.map(absolute);
    if (this.#servers.length === 0) throw new Error("no `urls`: expected at least one address");
  }

  get state(): State {
    return this.#state;
  }

  /** Connects, and stays connected until `stop`. */
  start(): void {
    if (this.#state !== "stopped") return;
    globalThis.document?.addEventListener("visibilitychange", this.#onVisibility);
    globalThis.addEventListener?.("online", this.#onOnline);
    this.#connect();
  }

  /** Lets go. Positions are kept: `start` resumes. */
  stop(): void {
    globalThis.document?.removeEventListener("visibilitychange", this.#onVisibility);
    globalThis.removeEventListener?.("online", this.#onOnline);
    clearTimeout(this.#hidden);
    this.#letGo("stopped");
  }

  #connect(): void {
    this.#letGo("connecting");
    const open = this.#options.connect ?? ((url, protocol) => new WebSocket(url, protocol) as unknown as Socket);
    let socket: Socket;
    try {
      socket = open(this.#url(), PROTOCOL);
    } catch {
      this.#retry(this.#wait());
      return;
    }
    this.#socket = socket;
    // A server that is not there may leave the connection hanging for minutes.
    this.#timer = setTimeout(() => this.#lost(socket, ""), PATIENCE);
    socket.onmessage = (event) => {
      if (socket !== this.#socket || typeof event.data !== "string") return;
      this.#receive(event.data, performance.timeOrigin + event.timeStamp);
    };
    socket.onclose = (event) => this.#lost(socket, event.reason);
  }

  #receive(text: string, at: number): void {
    this.#hasHeard = true;
    const frame = parse(text);
    switch (frame?.type) {
      case "hello":
        this.#greeted(frame);
        break;
      case "message":
        this.#take(frame, text, at);
        break;
      case "gap":
        this.#gap(frame);
        break;
      case "unknown": // A later version of the protocol may say more.
        break;
      default:
        this.#options.onUnreadable?.(text);
    }
  }

  #greeted(hello: Hello): void {
    for (const peer of hello.peers) {
      if (!this.#servers.includes(peer)) this.#servers.push(peer);
    }
    clearTimeout(this.#timer);
    this.#failures = 0;
    this.#options.onHello?.(hello);
    this.#enter("live");
    if (this.#socket !== undefined) this.#listen(this.#socket);
  }

  /** Watches for silence. */
  #listen(socket: Socket): void {
    const { quietAfter } = this.#options;
    if (quietAfter === undefined) return;
    this.#hasHeard = false;
    this.#timer = setTimeout(() => {
      if (this.#hasHeard) this.#listen(socket);
      else this.#lost(socket, "");
    }, quietAfter);
  }

  #take(message: Message, text: string, at: number): void {
    const { topic, partition, offset } = message;
    const isNew =
      topic === undefined ||
      partition === undefined ||
      offset === undefined ||
      this.#partition(topic, partition).take(offset, message.timestamp);
    if (isNew) this.#options.onMessage(message, text, at);
    else this.#options.onDuplicate?.(message);
  }

  #gap(gap: Gap): void {
    if (gap.reason === "reset") {
      this.#partition(gap.topic, gap.partition).last = -1;
    } else if (gap.reason === "evicted" && this.#mayBeElsewhere(gap)) {
      this.#failures = 0;
      this.#server += 1;
      this.#connect();
      return;
    }
    this.#options.onGap?.(gap);
  }

  /** What one server has no longer another may have: each is asked once, then the gap is taken as it is. */
  #mayBeElsewhere(gap: Gap): boolean {
    const name = `${gap.topic}/${gap.partition}:${gap.from}`;
    const asked = (this.#asked.get(name) ?? 0) + 1;
    if (this.#asked.size > MOST_ASKED) this.#asked.clear();
    if (asked < this.#servers.length) {
      this.#asked.set(name, asked);
      return true;
    }
    this.#asked.delete(name);
    return false;
  }

  #lost(socket: Socket, reason: string): void {
    if (socket !== this.#socket) return;
    const told = /reconnect_ms=(\d{1,6})/.exec(reason)?.[1];
    this.#server += 1;
    this.#retry(told === undefined ? this.#wait() : Number(told));
  }

  #retry(wait: number): void {
    this.#letGo("waiting");
    this.#timer = setTimeout(() => this.#connect(), wait);
  }

  /** A random wait below a bound that doubles: clients that lost one server do not come back together. */
  #wait(): number {
    const { initial, max } = this.#options.backoff ?? { initial: 500, max: 15_000 };
    const bound = Math.min(max, initial * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 30);
    return Math.random() * bound;
  }

  /** Drops connection and timer. */
  #letGo(state: State): void {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close(1000);
    this.#enter(state);
  }

  #enter(state: State): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.onState?.(state, this.#address());
  }

  readonly #onVisibility = (): void => {
    clearTimeout(this.#hidden);
    if (globalThis.document?.visibilityState !== "hidden") {
      if (this.#state === "paused") this.#connect();
      return;
    }
    this.#hidden = setTimeout(() => {
      if (this.#state !== "stopped") this.#letGo("paused");
    }, this.#options.hiddenAfter ?? 60_000);
  };

  readonly #onOnline = (): void => {
    if (this.#state === "waiting") this.#connect();
  };

  #partition(topic: string, partition: number): Partition {
    const name = `${topic}/${partition}`;
    let known = this.#partitions.get(name);
    if (known === undefined) {
      known = new Partition(topic, partition);
      this.#partitions.set(name, known);
    }
    return known;
  }

  #address(): string {
    return this.#servers[this.#server % this.#servers.length] ?? "";
  }

  #url(): string {
    const url = new URL(this.#address());
    const after = [...this.#partitions.values()].filter((known) => known.last >= 0);
    if (after.length > 0) {
      const positions = after.map((known) => `${known.topic}/${known.partition}:${known.last}`);
      url.searchParams.set("after", positions.join(","));
    } else if (this.#options.recent !== undefined) {
      url.searchParams.set("recent", String(this.#options.recent));
    }
    return url.href;
  }
}

function absolute(url: string): string {
  const base = globalThis.location?.href;
  const full = new URL(url, base);
  full.protocol = full.protocol.replace(/^http/, "ws");
  return full.href;
}

/** The frame of a text, if it is one: what the client relies on is checked, what it hands on is not. */
function parse(text: string): Hello | Message | Gap | { type: "unknown" } | undefined {
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof frame !== "object" || frame === null) return undefined;
  const has = frame as Record<string, unknown>;
  const isText = (name: string): boolean => typeof has[name] === "string";
  const isCount = (name: string): boolean => Number.isSafeInteger(has[name]) && Number(has[name]) >= 0;
  switch (has["type"]) {
    case "hello":
      if (has["peers"] === undefined) has["peers"] = [];
      return Array.isArray(has["peers"]) && has["peers"].every(isAddress) ? (frame as Hello) : undefined;
    case "message":
      if (!isText("from")) return undefined;
      if (has["topic"] === undefined) return frame as Message;
      return isText("topic") && isCount("partition") && isCount("offset") ? (frame as Message) : undefined;
    case "gap":
      return isText("topic") && isCount("partition") && isCount("from") && isText("reason") ? (frame as Gap) : undefined;
    default:
      return isText("type") ? { type: "unknown" } : undefined;
  }
}

function isAddress(peer: unknown): boolean {
  return typeof peer === "string" && URL.canParse(peer);
}
