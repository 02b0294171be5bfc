/** The five parts of the system, in the order in which a trade passes them. */

import { consumersHealth, kafkaHealth, serversHealth } from "../../status/health.ts";
import type { Condition } from "../../store/condition.ts";
import { feedHealth, pageHealth } from "../../store/health.ts";
import type { Store } from "../../store/store.ts";

export type PartName = "feed" | "kafka" | "consumers" | "servers" | "page";

export interface Part {
  readonly name: PartName;
  /** Anchor of the panel that tells more. */
  readonly panel: string;
  readonly condition: Condition;
}

/** While the page has no connection, it knows nothing of the others. */
const UNHEARD: Condition = { level: "unknown", reasons: [] };

export function partsOf(store: Store): Part[] {
  const page = pageHealth(store);
  const heard = (health: (store: Store) => Condition): Condition => (page.level === "down" ? UNHEARD : health(store));
  return [
    { name: "feed", panel: "tape", condition: heard(feedHealth) },
    { name: "kafka", panel: "kafka", condition: heard(kafkaHealth) },
    { name: "consumers", panel: "consumers", condition: heard(consumersHealth) },
    { name: "servers", panel: "clients", condition: heard(serversHealth) },
    { name: "page", panel: "chart", condition: page },
  ];
}
