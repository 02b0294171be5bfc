/**
 * Where the nodes of a graph stand: from left to right as messages go, machines in boxes below each other. What is handed over
 * on the spot stands below who hands it over: a filter below its source, a server below who POSTs to it.
 *
 * Invariant: no two nodes share a place, and a machine's box holds its own nodes only.
 */

import type { Graph, Link, Node } from "./graph.ts";

export interface Placed {
  readonly node: Node;
  /** Column and row, whole numbers from 0 on. */
  readonly column: number;
  readonly row: number;
}

/** Flows of one machine that hand over to each other on the spot. */
export interface Box {
  readonly id: string;
  readonly machine: string;
  readonly flows: readonly string[];
  readonly column: number;
  readonly row: number;
  readonly columns: number;
  readonly rows: number;
}

export interface Layout {
  readonly placed: readonly Placed[];
  readonly boxes: readonly Box[];
  readonly columns: number;
  readonly rows: number;
  /** Links that go in circles: servers that relay to each other. */
  readonly relays: ReadonlySet<Link>;
}

export function layOut({ nodes, links }: Graph): Layout {
  const relays = inCircles(links);
  const forward = links.filter((link) => !relays.has(link));
  const below = new Set(forward.filter((link) => isBelow(link, nodes)));
  const columns = columnsOf(nodes, forward, below);
  const within = boxesOf(nodes, forward).map((own) => rowsWithin(own, columns, forward, below));
  const boxes: Box[] = [];
  for (const own of within) boxes.push(boxOf(own, boxes));
  const rows = Math.max(0, ...boxes.map((box) => box.row + box.rows));
  const moved = boxes.map((box) => centred(box, boxes, rows));
  return {
    placed: within.flatMap((own, index) => own.map((one) => ({ ...one, row: one.row + (moved[index]?.row ?? 0) }))),
    boxes: moved,
    columns: Math.max(0, ...boxes.map((box) => box.column + box.columns)),
    rows,
    relays,
  };
}

/** What is handed over on the spot. */
function isBelow(link: Link, nodes: readonly Node[]): boolean {
  return link.medium === "post" || nodes.find((node) => node.id === link.to)?.role === "filter";
}

/** The nodes that stand in one box. */
function boxesOf(nodes: readonly Node[], links: readonly Link[]): Node[][] {
  const home = new Map(nodes.map((node) => [node.id, node.flow === "" ? node.id : `${node.machine}/${node.flow}`]));
  for (const { from, to, medium } of links) {
    const [old, into] = [home.get(to), home.get(from)];
    if (medium !== "post" || old === undefined || into === undefined) continue;
    for (const [id, box] of home) if (box === old) home.set(id, into);
  }
  const boxes = new Map<string, Node[]>();
  for (const node of nodes) {
    const box = home.get(node.id) ?? node.id;
    boxes.set(box, [...(boxes.get(box) ?? []), node]);
  }
  return [...boxes.values()];
}

/** A box around these nodes, at the first row from which on it has room. */
function boxOf(own: readonly Placed[], boxes: readonly Box[]): Box {
  const nodes = own.map(({ node }) => node);
  const column = Math.min(...own.map((one) => one.column));
  const columns = Math.max(...own.map((one) => one.column)) - column + 1;
  const rows = Math.max(...own.map((one) => one.row)) + 1;
  const row = freeRow(boxes, column, column + columns - 1, rows);
  const flows = [...new Set(nodes.map((node) => node.flow))];
  return { id: nodes[0]?.id ?? "", machine: nodes[0]?.machine ?? "", flows, column, row, columns, rows };
}

/** Whoever has its columns for itself stands in the middle. */
function centred(box: Box, boxes: readonly Box[], rows: number): Box {
  const isAlone = boxes.every(
    (other) => other === box || other.column >= box.column + box.columns || other.column + other.columns <= box.column,
  );
  return isAlone ? { ...box, row: Math.floor((rows - box.rows) / 2) } : box;
}

/** Links that lead back to where they come from. */
function inCircles(links: readonly Link[]): Set<Link> {
  const next = new Map<string, string[]>();
  for (const { from, to } of links) next.set(from, [...(next.get(from) ?? []), to]);
  const reaches = (start: string, goal: string): boolean => {
    const seen = new Set([start]);
    const open = [start];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (at === goal) return true;
      for (const one of next.get(at) ?? []) {
        if (!seen.has(one)) {
          seen.add(one);
          open.push(one);
        }
      }
    }
    return false;
  };
  // Within a machine the direction is plain; what closes a circle goes from one machine to another.
  const suspects = links.filter(({ medium }) => medium !== "memory" && medium !== "post");
  return new Set(suspects.filter(({ from, to }) => reaches(to, from)));
}

/** The column of each node: behind all that it gets messages from, and close to what it gives them to. */
function columnsOf(
  nodes: readonly Node[],
  links: readonly Link[],
  below: ReadonlySet<Link>,
): ReadonlyMap<string, number> {
  const columns = new Map(nodes.map(({ id }) => [id, 0]));
  const at = (id: string): number => columns.get(id) ?? 0;
  // As many rounds as there are nodes settle any graph without circles, and end with one that has them.
  for (let round = 0; round < nodes.length; round += 1) {
    for (const link of links) {
      const least = at(link.from) + (below.has(link) ? 0 : 1);
      columns.set(link.to, Math.min(Math.max(at(link.to), least), nodes.length));
    }
  }
  const fed = new Set(links.map(({ to }) => to));
  for (const { id } of nodes) {
    const targets = links.filter((link) => link.from === id).map((link) => at(link.to));
    if (!fed.has(id) && targets.length > 0) columns.set(id, Math.max(0, Math.min(...targets) - 1));
  }
  return columns;
}

/** Nodes of one box: each in the row of what it gets messages from, or below it, if that place is free. */
function rowsWithin(
  own: readonly Node[],
  columns: ReadonlyMap<string, number>,
  links: readonly Link[],
  below: ReadonlySet<Link>,
): Placed[] {
  const placed = new Map<string, Placed>();
  const used = new Set<string>();
  for (const node of own) {
    const column = columns.get(node.id) ?? 0;
    const feeder = links.find((link) => link.to === node.id && placed.has(link.from));
    let row = feeder === undefined ? 0 : (placed.get(feeder.from)?.row ?? 0) + (below.has(feeder) ? 1 : 0);
    while (used.has(`${column}/${row}`)) row += 1;
    used.add(`${column}/${row}`);
    placed.set(node.id, { node, column, row });
  }
  return [...placed.values()];
}

/** The first row from which on a box has room. */
function freeRow(boxes: readonly Box[], from: number, to: number, rows: number): number {
  const beside = boxes.filter((box) => box.column <= to && box.column + box.columns > from);
  for (let row = 0; ; row += 1) {
    if (beside.every((box) => box.row + box.rows <= row || row + rows <= box.row)) return row;
  }
}
