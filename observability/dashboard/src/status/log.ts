/**
 * What happened to one member of the group, in the order of the polling clock: its own word where it has one, else what its
 * silence says.
 *
 * Invariant: a line that a member still remembers in later documents is kept once.
 */

import type { GroupDocument } from "./kafka.ts";

/**
 * `assign`, `revoke`, `lose`: the member's own words. `joined`, `left`: its membership changed. `silent`: its status server
 * stopped answering, `at` the last time that it did. `answers`: it is heard again and went on meanwhile. `anew`: it is another
 * process than before, which was last heard `at` that time.
 */
export type LineKind = "assign" | "revoke" | "lose" | "joined" | "left" | "silent" | "answers" | "anew";

export interface Line {
  readonly at: number;
  readonly kind: LineKind;
  readonly partitions: readonly number[];
  readonly detail: string;
}

/** When a document was polled, when the one before was, and how far the member's clock is ahead. */
interface Poll {
  readonly at: number;
  readonly lastAt: number | undefined;
  readonly aheadMs: number;
}

const KEPT = 60;

export class MemberLog {
  member = "";
  lines: readonly Line[] = [];
  /** By the member's clock: rebalances up to here are known. */
  #heardOf = -1;
  #count = 0;
  #isJoined: boolean | undefined;
  #isSilent = false;

  /** The status server does not answer; it last did at `lastSeen`. */
  silent(lastSeen: number, why: string): void {
    if (this.#isSilent || this.member === "") return;
    this.#isSilent = true;
    this.#add({ at: lastSeen, kind: "silent", partitions: [], detail: why });
  }

  take(group: GroupDocument, poll: Poll): void {
    this.member = group.member;
    const isAnew = group.rebalances < this.#count;
    if (isAnew) {
      this.#isJoined = false;
      this.#add({ at: poll.lastAt ?? poll.at, kind: "anew", partitions: [], detail: "" });
    } else if (this.#isSilent) {
      this.#add({ at: poll.at, kind: "answers", partitions: [], detail: "" });
    }
    this.#isSilent = false;
    this.#count = group.rebalances;
    let joinedAt = poll.at;
    for (const { at, kind, partitions } of group.recent) {
      // A clock that was set back would hide all that comes: a new process begins to be heard anew.
      if (!isWord(kind) || (at <= this.#heardOf && !isAnew)) continue;
      this.#heardOf = Math.max(this.#heardOf, at);
      if (kind === "assign") joinedAt = Math.min(joinedAt, at - poll.aheadMs);
      this.#add({ at: at - poll.aheadMs, kind, partitions, detail: "" });
    }
    // In a rebalance a member is on its way for a moment, without having left.
    if (group.isJoining && !group.isJoined && this.#isJoined === true) return;
    if (this.#isJoined !== undefined && group.isJoined !== this.#isJoined) {
      const [at, kind] = group.isJoined ? [joinedAt, "joined" as const] : [poll.at, "left" as const];
      this.#add({ at, kind, partitions: [], detail: group.state });
    }
    this.#isJoined = group.isJoined;
  }

  #add(line: Line): void {
    this.lines = [...this.lines, line].slice(-KEPT);
  }
}

function isWord(kind: string): kind is "assign" | "revoke" | "lose" {
  return kind === "assign" || kind === "revoke" || kind === "lose";
}
