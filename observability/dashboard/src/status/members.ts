/** The members of the group and the partitions: who owns what, how fast, how far behind. */

import type { Board } from "./board.ts";
import type { OwnedPartition } from "./kafka.ts";
import { rate, sum } from "./rates.ts";
import { groupOf, type Seat } from "./seat.ts";

/**
 * `busy`: owns partitions; `idle`: a member without any; `joining`: on its way, or in a rebalance; `outside`: not in the
 * group; `silent`: its server gives no document.
 */
export type MemberState = "busy" | "idle" | "joining" | "outside" | "silent";

export interface Member {
  readonly seat: Seat;
  readonly host: string;
  readonly port: string;
  readonly id: string;
  readonly state: MemberState;
  readonly partitions: readonly Reading[];
  readonly rate: number | undefined;
  readonly lag: number | undefined;
  /** Why its flow is not ready. */
  readonly reasons: readonly string[];
}

/** A partition as its owner tells it. */
export interface Reading extends OwnedPartition {
  /** Messages a second that it hands out. */
  readonly rate: number | undefined;
  /** Messages a second that are written to it. */
  readonly produceRate: number | undefined;
}

export interface Members {
  readonly members: readonly Member[];
  /** Every partition that is known, by the brokers or by a member. */
  readonly partitions: readonly number[];
  readonly topic: string;
  readonly group: string;
}

/** The consumers: every status server that ever told of a membership. */
export function membersOf(board: Board): Members {
  const seats = board.sorted.filter((seat) => seat.group !== undefined);
  const members = seats.map(memberOf);
  const partitions = new Set<number>(board.timeline.owners.keys());
  for (const seat of seats) {
    for (const { partition } of seat.group?.layout?.partitions ?? []) partitions.add(partition);
    for (const { partition } of seat.group?.partitions ?? []) partitions.add(partition);
  }
  return {
    members,
    partitions: [...partitions].sort((one, other) => one - other),
    topic: seats[0]?.group?.topic ?? "",
    group: seats[0]?.group?.group ?? "",
  };
}

function memberOf(seat: Seat): Member {
  const group = seat.group;
  const partitions = seat.isAnswering ? readings(seat) : [];
  return {
    seat,
    host: seat.host,
    port: seat.port,
    id: group?.member ?? "",
    state: stateOf(seat),
    partitions,
    rate: seat.isAnswering ? (sum(partitions.map((one) => one.rate)) ?? 0) : undefined,
    lag: seat.isAnswering ? (sum(partitions.map((one) => one.lag)) ?? 0) : undefined,
    reasons: seat.copy?.reasons ?? [],
  };
}

function stateOf(seat: Seat): MemberState {
  if (!seat.isAnswering) return "silent";
  const group = seat.group;
  if (group !== undefined && group.partitions.length > 0) return "busy";
  if (group?.isJoined === true) return "idle";
  return group?.isJoining === true ? "joining" : "outside";
}

function readings(seat: Seat): Reading[] {
  return (seat.group?.partitions ?? []).map((owned) => ({
    ...owned,
    rate: partitionRate(seat, owned, (one) => one.position),
    produceRate: partitionRate(seat, owned, (one) => one.high),
  }));
}

/** How fast an offset of a partition grows, within its present assignment. */
function partitionRate(
  seat: Seat,
  { partition, generation }: OwnedPartition,
  pick: (one: OwnedPartition) => number | undefined,
): number | undefined {
  const readings = seat.samples.flatMap(({ at, copy }) => {
    const group = groupOf(copy);
    const owned = group?.partitions.find((one) => one.partition === partition && one.generation === generation);
    return owned === undefined ? [] : [{ at: group?.atMs ?? at, count: pick(owned) }];
  });
  return rate(readings);
}

/** What all members together lag behind; nothing while no member is heard. */
export function lagOf({ members }: Members): { messages: number | undefined; seconds: number | undefined } {
  const owned = members.flatMap((member) => member.partitions);
  const seconds = owned.flatMap((one) => (one.lagSeconds === undefined ? [] : [one.lagSeconds]));
  return { messages: sum(owned.map((one) => one.lag)), seconds: seconds.length > 0 ? Math.max(...seconds) : undefined };
}
