/** How far all consumers together are behind. */

import type { Store } from "../store/store.ts";
import { boardOf } from "./board.ts";
import { lagOf, membersOf } from "./members.ts";

/** Messages that are written and not done; nothing while no consumer is heard. */
export function totalLag(store: Store): number | undefined {
  return lagOf(membersOf(boardOf(store))).messages;
}
