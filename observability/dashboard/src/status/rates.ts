/**
 * Rates, computed from counters between two documents.
 *
 * A counter that is smaller than before belongs to a process that began again: what came before it says nothing any more.
 */

/** A counter at a time, in milliseconds. */
export interface Reading {
  readonly at: number;
  readonly count: number | undefined;
}

/** How much is needed between two readings: documents are made once a second, and polls give or take a tenth. */
const SHORTEST_MS = 500;

/** By how much a counter grew between readings, oldest first; the part behind the last new beginning. */
export function growth(readings: readonly Reading[]): { count: number; ms: number } | undefined {
  const newest = readings.at(-1);
  if (newest?.count === undefined) return undefined;
  let oldest: { at: number; count: number } = { at: newest.at, count: newest.count };
  for (let index = readings.length - 2; index >= 0; index -= 1) {
    const { at, count } = readings[index] as Reading;
    if (count === undefined || count > oldest.count || at > oldest.at) break;
    oldest = { at, count };
  }
  return { count: newest.count - oldest.count, ms: newest.at - oldest.at };
}

/** How many a second; nothing before there are two readings of one process. */
export function rate(readings: readonly Reading[]): number | undefined {
  const grown = growth(readings);
  if (grown === undefined || grown.ms < SHORTEST_MS) return undefined;
  return (grown.count * 1000) / grown.ms;
}

/** The sum of what is known; nothing when nothing is. */
export function sum(values: Iterable<number | undefined>): number | undefined {
  let total: number | undefined;
  for (const value of values) if (value !== undefined) total = (total ?? 0) + value;
  return total;
}
