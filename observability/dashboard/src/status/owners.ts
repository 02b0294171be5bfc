/** Who consumes a partition now. */

import type { Store } from "../store/store.ts";
import { boardOf } from "./board.ts";

/** `10.0.0.1:8081`, or nothing when nobody is known to. Reads documents only when there are new ones. */
export function ownerOf(store: Store, topic: string, partition: number): string | undefined {
  const board = boardOf(store);
  let known = cache.get(store);
  if (known === undefined || known.version !== board.version) {
    known = { version: board.version, owners: new Map() };
    for (const seat of board.seats.values()) {
      if (!seat.isAnswering) continue;
      for (const owned of seat.group?.partitions ?? []) {
        known.owners.set(`${seat.group?.topic}/${owned.partition}`, `${seat.host}:${seat.port}`);
      }
    }
    cache.set(store, known);
  }
  return known.owners.get(`${topic}/${partition}`);
}

const cache = new WeakMap<Store, { version: number; owners: Map<string, string> }>();
