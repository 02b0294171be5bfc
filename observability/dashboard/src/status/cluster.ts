/** Kafka as all its clients together see it: brokers, partitions, the group. */

import type { Board } from "./board.ts";
import type { Broker, Layout } from "./kafka.ts";
import { type Members, membersOf, type Reading } from "./members.ts";
import type { Seat } from "./seat.ts";

export type BrokerState = "up" | "down" | "unknown";

export interface BrokerView {
  readonly id: number;
  readonly address: string;
  readonly state: BrokerState;
  /** Clients of the pipeline that are connected to it, and all that were asked. */
  readonly connected: number;
  readonly clients: number;
  /** The mean round trip of the client that had the shortest in the last seconds: others wait in it for messages. */
  readonly rttMs: number | undefined;
  /** Partitions that it leads. */
  readonly leads: number;
}

/** `offline`: no leader; `under`: fewer in-sync replicas than replicas; `unknown`: no broker told of it yet. */
export type PartitionHealth = "ok" | "under" | "offline" | "unknown";

export interface PartitionView {
  readonly partition: number;
  readonly health: PartitionHealth;
  readonly leader: number | undefined;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly error: string | undefined;
  /** As the member that reads it tells; of the one that read it last when nobody does. */
  readonly reading: Reading | undefined;
  readonly owner: string | undefined;
  readonly isRead: boolean;
}

export interface GroupView {
  readonly name: string;
  /** The coordinator's word for its state. */
  readonly state: string | undefined;
  /** Members that the coordinator knows. */
  readonly members: number | undefined;
  /** Members that the page hears, and how many consumers it polls. */
  readonly joined: number;
  readonly polled: number;
  readonly protocol: string;
}

export interface Cluster {
  readonly topic: string;
  readonly brokers: readonly BrokerView[];
  readonly partitions: readonly PartitionView[];
  readonly group: GroupView;
  /** When the layout was told, by the polling clock; nothing when it never was. */
  readonly layoutAt: number | undefined;
}

/** A layout that is older than this is told to be old. */
export const LAYOUT_OLD_MS = 15_000;
/** States of a connection that was tried and is not there. */
const LOST = new Set(["down", "connect", "try_connect", "auth_handshake", "ssl_handshake"]);

export function clusterOf(board: Board): Cluster {
  const members = membersOf(board);
  const newest = newestLayout(board);
  return {
    topic: members.topic,
    brokers: brokersOf(board, newest?.layout),
    partitions: partitionsOf(members, board, newest?.layout),
    group: groupView(members, newest?.layout),
    layoutAt: newest?.at,
  };
}

/** The layout that was told last: each member asks now and then, and clocks differ. */
function newestLayout(board: Board): { layout: Layout; at: number } | undefined {
  let newest: { layout: Layout; at: number } | undefined;
  for (const seat of board.seats.values()) {
    const layout = seat.group?.layout;
    if (layout === undefined) continue;
    const at = layout.atMs - seat.clock.aheadMs;
    if (newest === undefined || at > newest.at) newest = { layout, at };
  }
  return newest;
}

function brokersOf(board: Board, layout: Layout | undefined): BrokerView[] {
  const told = new Map<number, { now: Broker[]; rtts: number[]; address: string }>();
  const entry = (id: number, address: string) => {
    let known = told.get(id);
    if (known === undefined) {
      known = { now: [], rtts: [], address };
      told.set(id, known);
    }
    if (known.address === "") known.address = address;
    return known;
  };
  for (const { id, address } of layout?.brokers ?? []) entry(id, address);
  for (const { replicas } of layout?.partitions ?? []) for (const id of replicas) entry(id, "");
  for (const seat of board.seats.values()) {
    if (!seat.isAnswering) continue;
    for (const broker of brokersNow(seat)) if (broker.id >= 0) entry(broker.id, broker.address).now.push(broker);
    for (const { id, rttMs } of brokersLately(seat)) if (rttMs !== undefined) told.get(id)?.rtts.push(rttMs);
  }
  const isListed = new Set((layout?.brokers ?? []).map((broker) => broker.id));
  return [...told]
    .sort(([one], [other]) => one - other)
    .map(([id, { now, rtts, address }]) => {
      const connected = now.filter(isUp).length;
      return {
        id,
        address,
        state: stateOf(now, layout === undefined || isListed.has(id)),
        connected,
        clients: now.length,
        rttMs: rtts.length > 0 ? Math.min(...rtts) : undefined,
        leads: (layout?.partitions ?? []).filter((partition) => partition.leader === id).length,
      };
    });
}

function stateOf(now: readonly Broker[], isListed: boolean): BrokerState {
  if (now.some(isUp)) return "up";
  if (!isListed || now.some((broker) => LOST.has(broker.state))) return "down";
  return "unknown";
}

function isUp({ state }: Broker): boolean {
  return state === "up" || state === "update";
}

function brokersNow(seat: Seat): Broker[] {
  return (seat.copy?.stages ?? []).flatMap((stage) => [...stage.brokers]);
}

function brokersLately(seat: Seat): Broker[] {
  return seat.samples.flatMap(({ copy }) => copy.stages.flatMap((stage) => [...stage.brokers]));
}

function partitionsOf(members: Members, board: Board, layout: Layout | undefined): PartitionView[] {
  const owners = board.timeline.owners;
  return members.partitions.map((partition) => {
    const place = layout?.partitions.find((one) => one.partition === partition);
    const holder = members.members.find((member) => member.partitions.some((one) => one.partition === partition));
    const reading = holder?.partitions.find((one) => one.partition === partition);
    return {
      partition,
      health: healthOf(place),
      leader: place?.leader,
      replicas: place?.replicas ?? [],
      isr: place?.isr ?? [],
      error: place?.error,
      reading: reading ?? lastKnown(board, partition),
      owner: holder?.id ?? owners.get(partition)?.member,
      isRead: holder !== undefined,
    };
  });
}

function healthOf(place: Layout["partitions"][number] | undefined): PartitionHealth {
  if (place === undefined) return "unknown";
  if (place.leader === undefined) return "offline";
  return place.isr.length < place.replicas.length ? "under" : "ok";
}

/** What the members' last documents said of a partition that nobody reads now: the furthest of them. */
function lastKnown(board: Board, partition: number): Reading | undefined {
  let last: Reading | undefined;
  for (const seat of board.seats.values()) {
    for (const { copy } of seat.samples) {
      for (const stage of copy.stages) {
        const owned = stage.group?.partitions.find((one) => one.partition === partition);
        if (owned === undefined || (owned.done ?? -1) < (last?.done ?? -1)) continue;
        last = { ...owned, rate: undefined, produceRate: undefined };
      }
    }
  }
  return last;
}

function groupView({ members, group }: Members, layout: Layout | undefined): GroupView {
  return {
    name: group,
    state: layout?.group?.state,
    members: layout?.group?.members,
    joined: members.filter((member) => member.state === "busy" || member.state === "idle").length,
    polled: members.length,
    protocol: members.find((member) => member.seat.group !== undefined)?.seat.group?.protocol ?? "",
  };
}
