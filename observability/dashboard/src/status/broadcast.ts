/** What a WebSocket server (`ws-broadcast`) says of itself. */

import type { Fields } from "./read.ts";

export interface ServerDocument {
  readonly name: string;
  readonly plain: number;
  readonly v1: number;
  /** Messages and bytes in its ring. */
  readonly ringMessages: number;
  readonly ringBytes: number;
  /** What waits for the slowest client. */
  readonly slowestMessages: number;
  readonly slowestBytes: number;
  /** What waits for the client in the middle. */
  readonly medianMessages: number | undefined;
  /** Messages that came by POST, and from other servers. */
  readonly posted: number | undefined;
  readonly relayed: number | undefined;
  readonly duplicates: number | undefined;
  /** Clients that ever connected. */
  readonly connected: number | undefined;
  /** Messages that slow clients were moved over. */
  readonly skipped: number;
  /** Clients that were sent away because they were too slow. */
  readonly sentAway: number;
  /** Clients that left, by reason. */
  readonly left: ReadonlyMap<string, number>;
  /** The newest offset of each partition. */
  readonly heads: readonly { readonly partition: number; readonly offset: number | undefined }[];
}

export function readServer(fields: Fields): ServerDocument {
  const clients = fields.object("clients");
  const ring = fields.object("ring");
  const slowest = fields.object("slowest_client");
  const accepted = fields.object("accepted");
  return {
    name: fields.text("server") ?? "",
    plain: clients?.count("plain") ?? 0,
    v1: clients?.count("v1") ?? 0,
    medianMessages: fields.object("median_client")?.count("messages"),
    connected: clients?.count("ever"),
    ringMessages: ring?.count("messages") ?? 0,
    ringBytes: ring?.count("bytes") ?? 0,
    slowestMessages: slowest?.count("messages") ?? 0,
    slowestBytes: slowest?.count("bytes") ?? 0,
    posted: accepted?.count("post"),
    relayed: accepted?.count("input"),
    duplicates: fields.count("duplicates"),
    skipped: fields.count("skipped") ?? 0,
    sentAway: fields.count("sent_away") ?? 0,
    left: fields.counts("left"),
    heads: fields.list("partitions", (head) => {
      const partition = head.count("partition");
      return partition === undefined ? undefined : { partition, offset: head.count("offset") };
    }),
  };
}
