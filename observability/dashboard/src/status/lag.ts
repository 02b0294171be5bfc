/** How far all consumers together are behind. */

import type { Store } from "../store/store.ts";
import { boardOf } from "./board.ts";
import { lagOf, membersOf } from "./members.ts";

/** Messages that are written and not done, and the time that the last consumer is behind; nothing while none is heard. */
export function totalLag(store: Store): ReturnType<typeof lagOf> {
  return lagOf(membersOf(boardOf(store)));
}
