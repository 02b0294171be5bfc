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
  const readers = readersByServer(board);
  return board.sorted.flatMap((seat) => {
    const document = serverOf(seat.copy);
    if (document === undefined) return [];
    const relays = Math.min(document.v1, relaysTo(seat, readers.get(document.name) ?? []));
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

/** The status servers of those stages of the pipelines that are connected to each server, by its `host:port`. */
function readersByServer(board: Board): Map<string, Seat[]> {
  const readers = new Map<string, Seat[]>();
  for (const seat of board.seats.values()) {
    if (!seat.isAnswering) continue;
    for (const place of placesRead(seat)) readers.set(place, [...(readers.get(place) ?? []), seat]);
  }
  return readers;
}

/** Servers that relay to each other also watch their own, to fill it when it starts anew: one connection more. */
function relaysTo(seat: Seat, readers: readonly Seat[]): number {
  const read = placesRead(seat);
  const isMutual = readers.some((reader) => read.includes(serverOf(reader.copy)?.name ?? ""));
  return readers.length + (isMutual ? 1 : 0);
}

/** `host:port` of the servers that the stages of a copy are connected to. */
function placesRead(seat: Seat): string[] {
  const servers = (seat.copy?.stages ?? []).flatMap((stage) => [...(stage.feed?.servers ?? [])]);
  return servers.flatMap((server) => (server.isConnected ? (placeOf(server.url) ?? []) : []));
}

/** `host:port` of a URL. */
export function placeOf(url: string): string | undefined {
  try {
    return new URL(url).host;
  } catch {
    return undefined;
  }
}
