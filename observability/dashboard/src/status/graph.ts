/**
 * The graph of stages over all machines as it runs.
 *
 * Copies of one flow on one machine are one row of nodes: three consumers are one group source with three copies. Between
 * machines an edge goes where one stage talks to another: by a topic of Kafka, by POST on one machine, by WebSocket.
 */

import type { Board } from "./board.ts";
import { placeOf, serversOf } from "./clients.ts";
import type { Copy, Stage } from "./document.ts";
import { sum } from "./rates.ts";
import type { Seat } from "./seat.ts";

export type NodeHealth = "ready" | "degraded" | "failed" | "silent";

export interface Node {
  readonly id: string;
  /** Its machine; `kafka` and `browsers` for those that are none of the pipeline's. */
  readonly machine: string;
  readonly flow: string;
  readonly name: string;
  readonly kind: string;
  readonly role: string;
  readonly copies: number;
  readonly health: NodeHealth;
  readonly reasons: readonly string[];
  readonly rejected: number;
  readonly restarts: number;
  /** Sent again after a failure. */
  readonly redelivered: number;
  /** How full the fullest queue in front of it is, 0 to 1. */
  readonly fill: number | undefined;
  readonly queued: number;
}

export type Medium = "memory" | "kafka" | "post" | "websocket";

export interface Link {
  readonly from: string;
  readonly to: string;
  readonly medium: Medium;
  /** Messages a second. */
  readonly rate: number | undefined;
}

export interface Graph {
  readonly nodes: readonly Node[];
  readonly links: readonly Link[];
}

/** The copies of a flow on a machine. */
interface Row {
  readonly machine: string;
  readonly flow: string;
  readonly seats: readonly Seat[];
}

export const BROWSERS = "browsers";

export function graphOf(board: Board): Graph {
  const rows = rowsOf(board);
  const nodes = new Map<string, Node>();
  const links: Link[] = [];
  for (const row of rows) {
    for (const stage of stagesOf(row)) {
      if (isUnusedAside(row, stage)) continue;
      nodes.set(idOf(row, stage), nodeOf(row, stage));
      for (const edge of stage.inputs) {
        const from = `${row.machine}/${row.flow}/${edge.from}`;
        links.push({ from, to: idOf(row, stage), medium: "memory", rate: edgeRate(row, stage.name, edge.from) });
      }
    }
    links.push(...inner(row));
  }
  links.push(...throughKafka(rows, nodes), ...throughPosts(rows), ...throughSockets(rows, nodes));
  links.push(...toBrowsers(board, rows, nodes));
  return { nodes: [...nodes.values()], links: links.filter(({ from, to }) => nodes.has(from) && nodes.has(to)) };
}

function rowsOf(board: Board): Row[] {
  const rows = new Map<string, { machine: string; flow: string; seats: Seat[] }>();
  for (const seat of board.sorted) {
    const flow = seat.copy?.flow;
    if (flow === undefined) continue;
    const name = `${seat.host}/${flow}`;
    const row = rows.get(name);
    if (row === undefined) rows.set(name, { machine: seat.host, flow, seats: [seat] });
    else row.seats.push(seat);
  }
  return [...rows.values()];
}

function stagesOf(row: Row): readonly Stage[] {
  return row.seats[0]?.copy?.stages ?? [];
}

function idOf(row: Row, stage: Stage): string {
  return `${row.machine}/${row.flow}/${stage.name}`;
}

function named(copy: Copy | undefined, name: string): Stage | undefined {
  return copy?.stages.find((stage) => stage.name === name);
}

function nodeOf(row: Row, stage: Stage): Node {
  const copies = row.seats.flatMap((seat) => named(seat.copy, stage.name) ?? []);
  const edges = copies.flatMap((copy) => [...copy.inputs]);
  const fills = edges.flatMap((edge) => (edge.limit ? [edge.unsettled / edge.limit] : []));
  const silent = row.seats.filter((seat) => !seat.isAnswering);
  return {
    id: idOf(row, stage),
    machine: row.machine,
    flow: row.flow,
    name: stage.name,
    kind: stage.kind,
    role: stage.role,
    copies: row.seats.length,
    health: silent.length === row.seats.length ? "silent" : worst(copies, silent.length > 0),
    reasons: copies.flatMap((copy) => copy.reason ?? []),
    rejected: sum(copies.map((copy) => copy.rejected)) ?? 0,
    restarts: sum(copies.map((copy) => copy.restarts)) ?? 0,
    redelivered: sum(edges.map((edge) => edge.redelivered)) ?? 0,
    fill: fills.length > 0 ? Math.min(1, Math.max(...fills)) : undefined,
    queued: sum(edges.map((edge) => edge.unsettled)) ?? 0,
  };
}

function worst(copies: readonly Stage[], isOneSilent: boolean): NodeHealth {
  if (copies.some((copy) => copy.health === "failed" || copy.state === "failed")) return "failed";
  if (isOneSilent || copies.some((copy) => copy.health === "degraded")) return "degraded";
  return "ready";
}

/** Done messages a second over an edge, all copies together. */
function edgeRate(row: Row, stage: string, from: string): number | undefined {
  return sum(
    row.seats.map((seat) => {
      if (!seat.isAnswering) return undefined;
      return seat.rate((copy) => named(copy, stage)?.inputs.find((edge) => edge.from === from)?.messages);
    }),
  );
}

/** Filters have no edge of their own: they are called on the way from the stage above. */
function inner(row: Row): Link[] {
  const stages = stagesOf(row);
  return stages.flatMap((stage, index): Link[] => {
    const above = stages[index - 1];
    if (stage.role !== "filter" || above === undefined) return [];
    const seats = row.seats.filter((seat) => seat.isAnswering);
    const rate = sum(seats.map((seat) => seat.rate((copy) => named(copy, above.name)?.sent)));
    return [{ from: idOf(row, above), to: idOf(row, stage), medium: "memory", rate }];
  });
}

function throughKafka(rows: readonly Row[], nodes: Map<string, Node>): Link[] {
  return each(rows).flatMap(({ row, stage }): Link[] => {
    if (stage.topic === undefined || !stage.kind.startsWith("kafka-")) return [];
    const topic = `kafka/${stage.topic}`;
    const reads = stage.kind === "kafka-group-source";
    if (isUnusedAside(row, stage)) return [];
    const rate = reads ? sourceRate(row, stage) : sinkRate(row, stage);
    if (!nodes.has(topic)) nodes.set(topic, external(topic, "kafka", stage.topic));
    const id = idOf(row, stage);
    return [reads ? { from: topic, to: id, medium: "kafka", rate } : { from: id, to: topic, medium: "kafka", rate }];
  });
}

/** Whether the stage is there for what another sink rejects, and never had to take anything: it is left out. */
function isUnusedAside(row: Row, stage: Stage): boolean {
  const feeders = stage.inputs.map((edge) => stagesOf(row).find((one) => one.name === edge.from)?.role);
  if (feeders.length === 0 || !feeders.every((role) => role === "sink")) return false;
  return row.seats.every((seat) => (named(seat.copy, stage.name)?.inputs ?? []).every((edge) => edge.messages === 0));
}

function throughPosts(rows: readonly Row[]): Link[] {
  return each(rows).flatMap(({ row, stage }): Link[] => {
    if (stage.kind !== "http-post") return [];
    const target = each(rows).find((one) => one.row.machine === row.machine && one.stage.kind === "ws-broadcast");
    if (target === undefined) return [];
    const rate = sum(
      row.seats.map((seat) =>
        seat.isAnswering
          ? seat.rate((copy) => sum((named(copy, stage.name)?.inputs ?? []).map((edge) => edge.done)))
          : undefined,
      ),
    );
    return [{ from: idOf(row, stage), to: idOf(target.row, target.stage), medium: "post", rate }];
  });
}

function throughSockets(rows: readonly Row[], nodes: Map<string, Node>): Link[] {
  const servers = new Map<string, string>();
  for (const { row, stage } of each(rows)) {
    if (stage.server !== undefined) servers.set(stage.server.name, idOf(row, stage));
  }
  const links = each(rows).flatMap(({ row, stage }): Link[] =>
    (stage.feed?.servers ?? []).flatMap((server): Link[] => {
      const from = servers.get(placeOf(server.url) ?? "") ?? feedNode(nodes, server.url);
      // A stage does not count its servers apart: the rate is known when it has one.
      const rate = stage.feed?.servers.length === 1 ? sourceRate(row, stage) : undefined;
      return [{ from, to: idOf(row, stage), medium: "websocket", rate }];
    }),
  );
  return links;
}

/** Clients of the servers that are none of the pipeline's stages. */
function toBrowsers(board: Board, rows: readonly Row[], nodes: Map<string, Node>): Link[] {
  const serving = new Set(
    serversOf(board).flatMap(({ seat, browsers, isAnswering }) => (isAnswering && browsers > 0 ? [seat] : [])),
  );
  const links = each(rows).flatMap(({ row, stage }): Link[] =>
    stage.server !== undefined && row.seats.some((seat) => serving.has(seat))
      ? [{ from: idOf(row, stage), to: BROWSERS, medium: "websocket", rate: undefined }]
      : [],
  );
  if (links.length > 0) nodes.set(BROWSERS, external(BROWSERS, BROWSERS, BROWSERS));
  return links;
}

/** A server that is none of the pipeline's: an exchange. */
function feedNode(nodes: Map<string, Node>, url: string): string {
  const id = `feed/${placeOf(url) ?? url}`;
  if (!nodes.has(id)) nodes.set(id, external(id, "feed", placeOf(url) ?? url));
  return id;
}

function external(id: string, machine: string, name: string): Node {
  return {
    id,
    machine,
    flow: "",
    name,
    kind: machine,
    role: "",
    copies: 1,
    health: "ready",
    reasons: [],
    rejected: 0,
    restarts: 0,
    redelivered: 0,
    fill: undefined,
    queued: 0,
  };
}

function sourceRate(row: Row, stage: Stage): number | undefined {
  const seats = row.seats.filter((seat) => seat.isAnswering);
  return sum(seats.map((seat) => seat.rate((copy) => named(copy, stage.name)?.sent)));
}

function sinkRate(row: Row, stage: Stage): number | undefined {
  const done = (copy: Copy) => sum((named(copy, stage.name)?.inputs ?? []).map((edge) => edge.done));
  return sum(row.seats.filter((seat) => seat.isAnswering).map((seat) => seat.rate(done)));
}

function each(rows: readonly Row[]): { row: Row; stage: Stage }[] {
  return rows.flatMap((row) => stagesOf(row).map((stage) => ({ row, stage })));
}
