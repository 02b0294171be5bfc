/** The WebSocket servers and who is connected to them. */

import type { Board } from "./board.ts";
import type { ServerDocument } from "./broadcast.ts";
import type { Copy } from "./document.ts";
import { sum } from "./rates.ts";
import type { Seat } from "./seat.ts";

export interface ServerView {
  readonly seat: Seat;
  readonly document: ServerDocument;
  readonly isAnswering: boolean;
  /** Servers of other machines that are its clients, to relay: no browsers. */
  readonly relays: number;
  /** Clients that are no relays, as far as the page can tell. */
  readonly browsers: number;
  /** Messages a second that come into its ring. */
  readonly rate: number | undefined;
  /** Clients that left in any way. */
  readonly left: number | undefined;
}

/** Every status server that ever told of a WebSocket server. */
export function serversOf(board: Board): ServerView[] {
  const readers = relaysByServer(board);
  return board.sorted.flatMap((seat) => {
    const document = serverOf(seat.copy);
    if (document === undefined) return [];
    const relays = Math.min(document.v1, readers.get(document.name) ?? 0);
    return {
      seat,
      document,
      isAnswering: seat.isAnswering,
      relays,
      browsers: document.plain + document.v1 - relays,
      rate: seat.rate((copy) => {
        const { posted, relayed } = serverOf(copy) ?? {};
        return sum([posted, relayed]);
      }),
      left: document.left.size > 0 ? (sum(document.left.values()) ?? 0) : undefined,
    };
  });
}

export function serverOf(copy: Copy | undefined): ServerDocument | undefined {
  return copy?.stages.find((stage) => stage.server !== undefined)?.server;
}

/** How many stages of the pipelines that the page follows are connected to each server, by its `host:port`. */
function relaysByServer(board: Board): Map<string, number> {
  const readers = new Map<string, number>();
  for (const seat of board.seats.values()) {
    if (!seat.isAnswering) continue;
    for (const stage of seat.copy?.stages ?? []) {
      for (const server of stage.feed?.servers ?? []) {
        const place = placeOf(server.url);
        if (server.isConnected && place !== undefined) readers.set(place, (readers.get(place) ?? 0) + 1);
      }
    }
  }
  return readers;
}

/** `host:port` of a URL. */
export function placeOf(url: string): string | undefined {
  try {
    return new URL(url).host;
  } catch {
    return undefined;
  }
}
