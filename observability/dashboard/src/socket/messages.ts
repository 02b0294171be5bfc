/** What the page and the thread that holds its WebSocket say to each other. */

import type { Frame } from "./frames.ts";

/** Opens a connection; the port of the same message is its own. */
export interface Open {
  url: string;
  protocol: string;
}

export type ToWorker = "taken" | { close: number };

export type FromWorker = { batch: Frame[] } | { closed: { code: number; reason: string } };
