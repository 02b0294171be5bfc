/** The status of one copy of a flow, as its status server tells it. */

import { readServer, type ServerDocument } from "./broadcast.ts";
import { type Broker, type GroupDocument, readBrokers, readGroup } from "./kafka.ts";
import { Fields, type Notes } from "./read.ts";

export interface Copy {
  readonly flow: string;
  readonly instance: number;
  readonly isReady: boolean;
  /** Why it is not ready, in its own words. */
  readonly reasons: readonly string[];
  /** In the order in which messages pass them. */
  readonly stages: readonly Stage[];
}

export interface Stage {
  readonly name: string;
  readonly kind: string;
  readonly role: string;
  readonly state: string;
  readonly stateSeconds: number | undefined;
  readonly health: string;
  readonly reason: string | undefined;
  readonly restarts: number;
  readonly rejected: number;
  /** Of a source: messages that it sent, and those of them that are not done. */
  readonly sent: number | undefined;
  readonly unsettled: number | undefined;
  /** Of a filter: messages that went on. */
  readonly passed: number | undefined;
  readonly inputs: readonly Edge[];
  /** What the stage says of itself, of the kinds that the page knows. */
  readonly group: GroupDocument | undefined;
  readonly server: ServerDocument | undefined;
  readonly feed: FeedDocument | undefined;
  /** The brokers that it talks to. */
  readonly brokers: readonly Broker[];
  /** The topic that it writes or reads. */
  readonly topic: string | undefined;
}

export interface Edge {
  readonly from: string;
  readonly messages: number;
  readonly done: number;
  readonly rejected: number;
  readonly redelivered: number;
  readonly queued: number;
  readonly unsettled: number;
  readonly unsettledBytes: number;
  readonly limit: number | undefined;
  readonly limitBytes: number | undefined;
}

/** A `websocket-source`. */
export interface FeedDocument {
  readonly isConnected: boolean;
  readonly reconnects: number;
  readonly duplicates: number;
  readonly missing: number;
  readonly malformed: number;
  readonly servers: readonly FeedServer[];
}

export interface FeedServer {
  readonly url: string;
  readonly isConnected: boolean;
  readonly error: string | undefined;
}

/** Reads a status document; nothing when it is none. What of it cannot be read is noted. */
export function readCopy(body: unknown, notes: Notes): Copy | undefined {
  const fields = Fields.of(body, notes);
  const flow = fields?.text("flow");
  if (fields === undefined || flow === undefined || !fields.has("stages")) return undefined;
  const reasons = fields.texts("reasons");
  return {
    flow,
    instance: fields.count("instance") ?? 0,
    isReady: fields.flag("ready") ?? reasons.length === 0,
    reasons,
    stages: fields.list("stages", readStage),
  };
}

function readStage(fields: Fields): Stage | undefined {
  const name = fields.text("name");
  if (name === undefined) return undefined;
  const kind = fields.text("kind") ?? name;
  const document = fields.has("document") ? fields.object("document") : undefined;
  return {
    name,
    kind,
    role: fields.text("role") ?? "",
    state: fields.text("state") ?? "",
    stateSeconds: fields.count("state_seconds"),
    health: fields.text("health") ?? "",
    reason: fields.text("reason"),
    restarts: fields.count("restarts") ?? 0,
    rejected: fields.count("rejected") ?? 0,
    sent: fields.count("sent"),
    unsettled: fields.count("unsettled"),
    passed: fields.numbers("filtered")[1],
    inputs: fields.list("inputs", readEdge),
    group: kind === "kafka-group-source" && document !== undefined ? readGroup(document) : undefined,
    server: kind === "ws-broadcast" && document !== undefined ? readServer(document) : undefined,
    feed: kind === "websocket-source" && document !== undefined ? readFeed(document) : undefined,
    brokers: kind.startsWith("kafka-") && document !== undefined ? readBrokers(document) : [],
    topic: kind.startsWith("kafka-") ? document?.text("topic") : undefined,
  };
}

function readEdge(fields: Fields): Edge | undefined {
  const from = fields.text("from");
  if (from === undefined) return undefined;
  return {
    from,
    messages: fields.count("messages") ?? 0,
    done: fields.count("done") ?? 0,
    rejected: fields.count("rejected") ?? 0,
    redelivered: fields.count("redelivered") ?? 0,
    queued: fields.count("queued") ?? 0,
    unsettled: fields.count("unsettled_messages") ?? 0,
    unsettledBytes: fields.count("unsettled_bytes") ?? 0,
    limit: fields.count("limit_messages"),
    limitBytes: fields.count("limit_bytes"),
  };
}

function readFeed(fields: Fields): FeedDocument {
  return {
    isConnected: fields.flag("connected") ?? false,
    reconnects: fields.count("reconnects") ?? 0,
    duplicates: fields.count("duplicates") ?? 0,
    missing: fields.count("missing") ?? 0,
    malformed: fields.count("malformed") ?? 0,
    servers: fields.list("servers", (server) => {
      const url = server.text("url");
      if (url === undefined) return undefined;
      return { url, isConnected: server.flag("connected") ?? false, error: server.text("error") };
    }),
  };
}
