/**
 * Where the nodes of a graph stand: from left to right as messages go, machines in boxes below each other.
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

export interface Box {
  readonly machine: string;
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
  /** Links that go against the direction or in circles: servers that relay to each other. */
  readonly relays: ReadonlySet<Link>;
}

export function layOut({ nodes, links }: Graph): Layout {
  const relays = inCircles(links);
  const forward = links.filter((link) => !relays.has(link));
  const columns = columnsOf(nodes, forward);
  const machines = new Map<string, Node[]>();
  for (const node of nodes) machines.set(node.machine, [...(machines.get(node.machine) ?? []), node]);
  const boxes: Box[] = [];
  const placed: Placed[] = [];
  for (const [machine, own] of machines) {
    const within = rowsWithin(own, columns);
    const from = Math.min(...within.map((one) => one.column));
    const to = Math.max(...within.map((one) => one.column));
    const rows = Math.max(...within.map((one) => one.row)) + 1;
    const row = freeRow(boxes, from, to, rows);
    boxes.push({ machine, column: from, row, columns: to - from + 1, rows });
    placed.push(...within.map((one) => ({ ...one, row: one.row + row })));
  }
  const size = (sizes: number[]): number => Math.max(0, ...sizes);
  return {
    placed,
    boxes,
    columns: size(placed.map((one) => one.column + 1)),
    rows: size(placed.map((one) => one.row + 1)),
    relays,
  };
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
function columnsOf(nodes: readonly Node[], links: readonly Link[]): Map<string, number> {
  const columns = new Map(nodes.map(({ id }) => [id, 0]));
  const at = (id: string): number => columns.get(id) ?? 0;
  // As many rounds as there are nodes settle any graph without circles, and end with one that has them.
  for (let round = 0; round < nodes.length; round += 1) {
    for (const { from, to } of links) columns.set(to, Math.min(Math.max(at(to), at(from) + 1), nodes.length));
  }
  const fed = new Set(links.map(({ to }) => to));
  for (const { id } of nodes) {
    const targets = links.filter((link) => link.from === id).map((link) => at(link.to));
    if (!fed.has(id) && targets.length > 0) columns.set(id, Math.max(0, Math.min(...targets) - 1));
  }
  return columns;
}

/** Nodes of one machine: those of one column below each other, in the order of the flow. */
function rowsWithin(own: readonly Node[], columns: ReadonlyMap<string, number>): Placed[] {
  const used = new Map<number, number>();
  return own.map((node) => {
    const column = columns.get(node.id) ?? 0;
    const row = used.get(column) ?? 0;
    used.set(column, row + 1);
    return { node, column, row };
  });
}

/** The first row from which on a box has room. */
function freeRow(boxes: readonly Box[], from: number, to: number, rows: number): number {
  const beside = boxes.filter((box) => box.column <= to && box.column + box.columns > from);
  for (let row = 0; ; row += 1) {
    if (beside.every((box) => box.row + box.rows <= row || row + rows <= box.row)) return row;
  }
}
