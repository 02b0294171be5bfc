/** How a part of the system is, and why, in words of any language. */

import type { Language } from "../ui/settings.ts";

/** `unknown`: nothing was heard of it yet. */
export type Level = "ok" | "degraded" | "down" | "unknown";

export type Said = (language: Language) => string;

export interface Condition {
  readonly level: Level;
  /** Most important first; none when all is well. */
  readonly reasons: readonly Said[];
}
