/**
 * The timeline of rebalances and failures: what the members' logs say together.
 *
 * Each member knows only its own part, and documents come in any order. So the whole is told again from all logs, in the
 * order of the polling clock, whenever one of them has news.
 */

import type { Line, MemberLog } from "./log.ts";

export type EventKind =
  | "joined"
  | "left"
  | "lost"
  | "back"
  | "restarted"
  | "assigned"
  | "moved"
  | "resumed"
  | "released";

export interface GroupEvent {
  readonly at: number;
  readonly kind: EventKind;
  readonly member: string;
  readonly partitions: readonly number[];
  /** Of `moved`: who had it before. */
  readonly from: string | undefined;
  /** How long nobody read the partition. */
  readonly unreadMs: number | undefined;
  readonly detail: string;
}

/** Who reads a partition, or did last. */
export interface Owner {
  readonly member: string;
  readonly since: number;
  /** Since when nobody reads it; nothing while somebody does. */
  readonly unreadSince: number | undefined;
}

export interface Timeline {
  /** Newest first. */
  readonly events: readonly GroupEvent[];
  readonly owners: ReadonlyMap<number, Owner>;
}

const MOST_EVENTS = 200;

export function tell(logs: Iterable<MemberLog>): Timeline {
  const lines: { member: string; line: Line }[] = [];
  for (const log of logs) for (const line of log.lines) lines.push({ member: log.member, line });
  // What ends comes before what begins at the same time.
  lines.sort((one, other) => one.line.at - other.line.at || order(one.line) - order(other.line));
  const story = new Story();
  for (const { member, line } of lines) story.take(member, line);
  return { events: story.events.reverse().slice(0, MOST_EVENTS), owners: story.owners };
}

function order({ kind }: Line): number {
  if (kind === "revoke" || kind === "lose" || kind === "silent" || kind === "anew") return 0;
  return kind === "assign" ? 2 : 1;
}

class Story {
  readonly events: GroupEvent[] = [];
  readonly owners = new Map<number, Owner>();
  /** Partitions that are unread because their owner is silent: if it answers again it read them all the time. */
  readonly #suspected = new Map<number, string>();

  take(member: string, line: Line): void {
    const { at, partitions, detail } = line;
    switch (line.kind) {
      case "assign":
        this.#assign(member, at, partitions);
        break;
      case "revoke":
        this.#end(at, this.#held(member, partitions));
        this.#tell("released", member, at, { partitions });
        break;
      case "lose":
        this.#end(at, this.#held(member, partitions));
        this.#tell("lost", member, at, { partitions, detail });
        break;
      case "joined":
      case "left":
        this.#tell(line.kind, member, at, { detail });
        break;
      case "silent":
        this.#silent(member, line);
        break;
      case "answers":
        this.#answers(member);
        this.#tell("back", member, at, {});
        break;
      case "anew":
        this.#end(at, this.#held(member));
        this.#tell("restarted", member, at, {});
        break;
    }
  }

  #assign(member: string, at: number, partitions: readonly number[]): void {
    const fresh: number[] = [];
    for (const partition of partitions) {
      const before = this.owners.get(partition);
      this.owners.set(partition, { member, since: at, unreadSince: undefined });
      this.#suspected.delete(partition);
      if (before === undefined) {
        fresh.push(partition);
        continue;
      }
      const unreadMs = before.unreadSince === undefined ? undefined : Math.max(0, at - before.unreadSince);
      const isMove = before.member !== member;
      const from = isMove ? before.member : undefined;
      this.#tell(isMove ? "moved" : "resumed", member, at, { partitions: [partition], from, unreadMs });
    }
    if (fresh.length > 0) this.#tell("assigned", member, at, { partitions: fresh });
  }

  #silent(member: string, { at, detail }: Line): void {
    const held = this.#held(member);
    this.#end(at, held);
    for (const partition of held) this.#suspected.set(partition, member);
    this.#tell("lost", member, at, { partitions: held, detail });
  }

  #answers(member: string): void {
    for (const [partition, owner] of this.owners) {
      if (this.#suspected.get(partition) !== member) continue;
      this.owners.set(partition, { ...owner, unreadSince: undefined });
      this.#suspected.delete(partition);
    }
  }

  /** Those of the partitions that the member has; all that it has when none are named. */
  #held(member: string, among?: readonly number[]): number[] {
    return [...this.owners]
      .filter(([partition, owner]) => owner.member === member && (among?.includes(partition) ?? true))
      .map(([partition]) => partition);
  }

  /** From now on nobody reads these. */
  #end(at: number, partitions: readonly number[]): void {
    for (const partition of partitions) {
      const owner = this.owners.get(partition);
      if (owner !== undefined && owner.unreadSince === undefined) {
        this.owners.set(partition, { ...owner, unreadSince: at });
      }
      this.#suspected.delete(partition);
    }
  }

  #tell(kind: EventKind, member: string, at: number, more: Partial<GroupEvent>): void {
    this.events.push({ partitions: [], from: undefined, unreadMs: undefined, detail: "", ...more, at, kind, member });
  }
}
