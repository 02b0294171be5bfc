/** What the Kafka stages say of themselves. */

import type { Fields } from "./read.ts";

/** A `kafka-group-source`. */
export interface GroupDocument {
  /** Its own clock when this was so, milliseconds since 1970. */
  readonly atMs: number | undefined;
  readonly topic: string;
  readonly group: string;
  readonly protocol: string;
  /** Static id of the member. */
  readonly member: string;
  readonly isJoined: boolean;
  /** Whether it is on its way into the group, or in the middle of a rebalance. */
  readonly isJoining: boolean;
  readonly state: string;
  readonly lag: number | undefined;
  readonly partitions: readonly OwnedPartition[];
  /** Rebalances since the stage was opened, and the last ones of them. */
  readonly rebalances: number;
  readonly recent: readonly Rebalance[];
  readonly layout: Layout | undefined;
}

export interface OwnedPartition {
  readonly partition: number;
  readonly generation: number;
  readonly position: number | undefined;
  readonly done: number | undefined;
  readonly committed: number | undefined;
  readonly low: number | undefined;
  readonly high: number | undefined;
  readonly lag: number | undefined;
  readonly lagSeconds: number | undefined;
  readonly isPaused: boolean;
  readonly isReplaying: boolean;
}

/** `assign`, `revoke` or `lose`. */
export interface Rebalance {
  /** By the member's clock, milliseconds since 1970. */
  readonly at: number;
  readonly kind: string;
  readonly partitions: readonly number[];
}

export interface Broker {
  /** Below zero: an address of the settings that has not answered yet. */
  readonly id: number;
  readonly address: string;
  readonly state: string;
  /** The mean round trip of the last second; nothing when nothing was asked. */
  readonly rttMs: number | undefined;
}

/** Where a topic's partitions are, as one broker told it. */
export interface Layout {
  readonly atMs: number;
  readonly brokers: readonly { readonly id: number; readonly address: string }[];
  readonly partitions: readonly PlacedPartition[];
  /** The group, as its coordinator tells it. */
  readonly group: { readonly state: string; readonly members: number | undefined } | undefined;
}

export interface PlacedPartition {
  readonly partition: number;
  readonly leader: number | undefined;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly error: string | undefined;
}

export function readGroup(fields: Fields): GroupDocument {
  const rebalances = fields.object("rebalances");
  return {
    atMs: fields.count("at_ms"),
    topic: fields.text("topic") ?? "",
    group: fields.text("group") ?? "",
    protocol: fields.text("protocol") ?? "",
    member: fields.text("member") ?? "",
    isJoined: fields.flag("joined") ?? false,
    isJoining: isJoining(fields.text("state") ?? ""),
    state: fields.text("state") ?? "",
    lag: fields.count("lag"),
    partitions: fields.list("partitions", readPartition),
    rebalances: rebalances?.count("count") ?? 0,
    recent: rebalances?.list("recent", readRebalance) ?? [],
    layout: fields.has("layout") ? readLayout(fields.object("layout")) : undefined,
  };
}

/** librdkafka's words: the coordinator's state, a slash, and the state of joining. */
function isJoining(state: string): boolean {
  return /^up\/wait-/.test(state);
}

export function readBrokers(fields: Fields): Broker[] {
  return fields.list("brokers", (broker) => {
    const id = broker.number("id");
    if (id === undefined) return undefined;
    const rttMs = broker.count("rtt_ms");
    return {
      id,
      address: broker.text("address") ?? "",
      state: broker.text("state") ?? "",
      rttMs: rttMs === 0 ? undefined : rttMs,
    };
  });
}

function readPartition(fields: Fields): OwnedPartition | undefined {
  const partition = fields.count("partition");
  if (partition === undefined) return undefined;
  return {
    partition,
    generation: fields.count("generation") ?? 0,
    position: fields.count("position"),
    done: fields.count("done"),
    committed: fields.count("committed"),
    low: fields.count("low"),
    high: fields.count("high"),
    lag: fields.count("lag"),
    lagSeconds: fields.count("lag_seconds"),
    isPaused: fields.flag("paused") ?? false,
    isReplaying: fields.flag("replaying") ?? false,
  };
}

function readRebalance(fields: Fields): Rebalance | undefined {
  const at = fields.count("at");
  const kind = fields.text("kind");
  if (at === undefined || kind === undefined) return undefined;
  return { at, kind, partitions: fields.numbers("partitions") };
}

function readLayout(fields: Fields | undefined): Layout | undefined {
  const atMs = fields?.count("at_ms");
  if (fields === undefined || atMs === undefined) return undefined;
  const group = fields.has("group") ? fields.object("group") : undefined;
  return {
    atMs,
    brokers: fields.list("brokers", (broker) => {
      const id = broker.number("id");
      return id === undefined ? undefined : { id, address: broker.text("address") ?? "" };
    }),
    partitions: fields.list("partitions", (place) => {
      const partition = place.count("partition");
      if (partition === undefined) return undefined;
      return {
        partition,
        leader: place.number("leader"),
        replicas: place.numbers("replicas"),
        isr: place.numbers("isr"),
        error: place.text("error"),
      };
    }),
    group: group === undefined ? undefined : { state: group.text("state") ?? "", members: group.count("members") },
  };
}
