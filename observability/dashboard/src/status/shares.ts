/** How the load is shared: messages that the consumers of each VM took, in slots of time. */

import type { Copy } from "./document.ts";
import type { Sample } from "./seat.ts";

export const SLOT_MS = 5_000;
export const SLOTS = 60;
/** What was counted over a longer time says nothing about one slot. */
const LONGEST_MS = 3 * SLOT_MS;

export interface Slot {
  /** When it begins. */
  readonly at: number;
  readonly byVm: ReadonlyMap<string, number>;
}

export class Shares {
  /** Slot number to messages by VM. */
  readonly #slots = new Map<number, Map<string, number>>();

  /** Adds what the consumer of a VM took between two documents. */
  add(vm: string, before: Sample, after: Sample): void {
    const [was, is] = [taken(before.copy), taken(after.copy)];
    const ms = after.at - before.at;
    if (was === undefined || is === undefined || is < was || ms <= 0 || ms > LONGEST_MS) return;
    const number = Math.floor(after.at / SLOT_MS);
    let slot = this.#slots.get(number);
    if (slot === undefined) {
      slot = new Map();
      this.#slots.set(number, slot);
      this.#forget(number);
    }
    slot.set(vm, (slot.get(vm) ?? 0) + is - was);
  }

  /** The last slots that are over at `now`, oldest first; those without any message are empty. */
  last(now: number): Slot[] {
    const newest = Math.floor(now / SLOT_MS) - 1;
    return Array.from({ length: SLOTS }, (_, index) => {
      const number = newest - SLOTS + 1 + index;
      return { at: number * SLOT_MS, byVm: this.#slots.get(number) ?? new Map() };
    });
  }

  #forget(newest: number): void {
    for (const number of this.#slots.keys()) {
      if (number <= newest - SLOTS - 1 || number > newest + SLOTS) this.#slots.delete(number);
    }
  }
}

/** Messages of all VMs. */
export function sumOf({ byVm }: Slot): number {
  return [...byVm.values()].reduce((total, one) => total + one, 0);
}

/** Messages that the source of a Kafka consumer sent. */
function taken(copy: Copy): number | undefined {
  return copy.stages.find((stage) => stage.kind === "kafka-group-source")?.sent;
}
