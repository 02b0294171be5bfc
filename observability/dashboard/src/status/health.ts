/** How Kafka, the consumers and the WebSocket servers are, for the health strip. */

import type { Condition, Level, Said } from "../store/condition.ts";
import type { Store } from "../store/store.ts";
import { type Board, boardOf, UNHEARD_MS } from "./board.ts";
import { serversOf } from "./clients.ts";
import { clusterOf } from "./cluster.ts";
import { lagOf, type Member, membersOf } from "./members.ts";
import type { Seat } from "./seat.ts";
import { SAY } from "./words.ts";

/** A lag that is older than this is trouble: a person looks at trades that are not live. */
export const OLD_SECONDS = 10;

const UNKNOWN: Condition = { level: "unknown", reasons: [] };

export function kafkaHealth(store: Store): Condition {
  const board = boardOf(store);
  const { brokers, partitions, layoutAt } = clusterOf(board);
  if (brokers.length === 0) return UNKNOWN;
  const found = new Findings(board, store.now());
  const down = brokers.filter((broker) => broker.state === "down");
  const isAllDown = down.length > 0 && brokers.every((broker) => broker.state !== "up");
  if (down.length > 0) found.add(isAllDown ? "down" : "degraded", SAY.brokersDown(down.map((broker) => broker.id)));
  const offline = partitions.filter((partition) => partition.health === "offline");
  if (offline.length > 0) found.add("down", SAY.offline(offline.map((one) => one.partition)));
  const under = partitions.filter((partition) => partition.health === "under");
  if (under.length > 0) found.add("degraded", SAY.underReplicated(under.map((one) => one.partition)));
  if (layoutAt === undefined) found.add("degraded", SAY.noLayout());
  return found.condition;
}

export function consumersHealth(store: Store): Condition {
  const board = boardOf(store);
  const all = membersOf(board);
  const { members, partitions } = all;
  const unknown = neverHeard(board);
  if (members.length + unknown.length === 0) return UNKNOWN;
  const found = new Findings(board, store.now());
  const reads = new Set(members.flatMap((member) => member.partitions.map((one) => one.partition)));
  const unread = partitions.filter((partition) => !reads.has(partition));
  if (unread.length > 0) found.add(reads.size === 0 ? "down" : "degraded", SAY.unread(unread));
  const silent = members.filter((member) => member.state === "silent");
  const mute = [...places(silent), ...unknown];
  if (mute.length > 0) found.add(silent.length === members.length ? "down" : "degraded", SAY.silent(mute));
  const outside = members.filter((member) => member.state === "outside");
  if (outside.length > 0) found.add("degraded", SAY.outside(places(outside)));
  const { messages, seconds } = lagOf(all);
  if (messages !== undefined && seconds !== undefined && seconds > OLD_SECONDS) {
    found.add("degraded", SAY.behind(messages, seconds));
  }
  for (const member of members) {
    if (member.state !== "silent" && member.reasons[0] !== undefined) {
      found.add("degraded", SAY.notReady(place(member), member.reasons[0]));
    }
  }
  found.clocks(members.map((member) => member.seat));
  return found.condition;
}

export function serversHealth(store: Store): Condition {
  const board = boardOf(store);
  const servers = serversOf(board).filter((server) => server.seat.group === undefined);
  if (servers.length === 0) return UNKNOWN;
  const found = new Findings(board, store.now());
  const silent = servers.filter((server) => !server.isAnswering);
  const names = silent.map((server) => server.document.name);
  if (names.length > 0) found.add(names.length === servers.length ? "down" : "degraded", SAY.silent(names));
  for (const { seat, document, isAnswering } of servers) {
    const reason = seat.copy?.reasons[0];
    if (isAnswering && reason !== undefined) found.add("degraded", SAY.notReady(document.name, reason));
  }
  return found.condition;
}

/** Status servers that never gave a status: what they are nobody knows, and most of them are consumers'. */
function neverHeard(board: Board): string[] {
  const troubled = board.sorted.filter((seat) => seat.samples.length === 0 && seat.trouble !== undefined);
  return troubled.map((seat) => `${seat.host}:${seat.port}`);
}

function places(members: readonly Member[]): string[] {
  return members.map(place);
}

function place({ host, port }: Member): string {
  return `${host}:${port}`;
}

/** What was found, worst first; nothing is sure while no status is heard. */
class Findings {
  readonly #found: { level: Level; said: Said }[] = [];

  constructor(board: Board, now: number) {
    const newest = Math.max(...[...board.seats.values()].map((seat) => seat.heardAt));
    if (now - newest > UNHEARD_MS) this.add("degraded", SAY.unheard());
  }

  add(level: Level, said: Said): void {
    this.#found.push({ level, said });
  }

  clocks(seats: readonly Seat[]): void {
    for (const { clock, host } of new Map(seats.map((seat) => [seat.host, seat])).values()) {
      if (clock.aheadMs !== 0) this.add("ok", SAY.clock(host, clock.aheadMs));
    }
  }

  get condition(): Condition {
    const rank = (level: Level): number => ["down", "degraded", "ok", "unknown"].indexOf(level);
    const sorted = [...this.#found].sort((one, other) => rank(one.level) - rank(other.level));
    return { level: sorted[0]?.level ?? "ok", reasons: sorted.map(({ said }) => said) };
  }
}
