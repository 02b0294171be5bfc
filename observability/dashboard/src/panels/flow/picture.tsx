/** The picture: boxes of machines, stages in them, and lines with their rates. */

import { BROWSERS, type Link, type Node, type NodeHealth } from "../../status/graph.ts";
import type { Box, Layout, Placed } from "../../status/layout.ts";
import { useFormat } from "../../ui/live.ts";
import { useWords } from "../../ui/words.ts";
import { WORDS } from "./words.ts";

/** A place of the grid, and a stage in it. */
const CELL_WIDTH = 150;
const CELL_HEIGHT = 92;
const WIDTH = 104;
const HEIGHT = 52;
const TOP = 26;
const MARGIN = 8;
/** Characters that fit into a line of a stage. */
const MOST_CHARACTERS = 15;

const SIGNS: Record<NodeHealth, string> = { ready: "●", degraded: "▲", failed: "✕", silent: "✕" };
const TONES: Record<NodeHealth, string> = { ready: "ok", degraded: "warn", failed: "bad", silent: "bad" };

export function Picture({ layout, links }: { layout: Layout; links: readonly Link[] }) {
  const w = useWords(WORDS);
  const format = useFormat();
  const width = layout.columns * CELL_WIDTH - (CELL_WIDTH - WIDTH) + 2 * MARGIN;
  const height = layout.rows * CELL_HEIGHT + MARGIN;
  const label = w.picture(format.whole(layout.placed.length), format.whole(layout.boxes.length));
  const places = new Map(layout.placed.map((placed) => [placed.node.id, placed]));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section class="flow-scroller" aria-label={label} tabIndex={0}>
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
        {layout.boxes.map((box) => (
          <MachineBox key={box.id} box={box} />
        ))}
        <RelayRail placed={layout.placed} relays={layout.relays} />
        {links.map((link) => {
          const [from, to] = [places.get(link.from), places.get(link.to)];
          if (from === undefined || to === undefined || layout.relays.has(link)) return null;
          return <Line key={`${link.from}→${link.to}`} link={link} from={from} to={to} />;
        })}
        {layout.placed.map((placed) => (
          <StageBox key={placed.node.id} placed={placed} />
        ))}
      </svg>
    </section>
  );
}

function MachineBox({ box }: { box: Box }) {
  const { machine, flows, column, row, columns, rows } = box;
  if (isOutside(machine)) return null;
  const width = columns * CELL_WIDTH - (CELL_WIDTH - WIDTH) + 14;
  return (
    <g class="machine">
      <rect x={left(column) - 7} y={row * CELL_HEIGHT + 4} width={width} height={rows * CELL_HEIGHT - 8} rx="6" />
      <text x={left(column) - 1} y={row * CELL_HEIGHT + 18}>
        {columns > 1 ? `${machine} · ${flows.join(", ")}` : machine}
      </text>
    </g>
  );
}

function StageBox({ placed: { node, column, row } }: { placed: Placed }) {
  const w = useWords(WORDS);
  const format = useFormat();
  const [x, y] = [left(column), top(row)];
  const isPlace = isOutside(node.machine);
  const lines = inLines(node.id === BROWSERS ? w.browsers : node.name);
  const first = y + (isPlace ? 30 : 21) - (lines.length - 1) * 6;
  return (
    <g class={`stage ${TONES[node.health]}${isPlace ? " outside" : ""}`} data-stage={node.id}>
      <title>{[node.name, ...node.reasons].join("\n")}</title>
      <rect x={x} y={y} width={WIDTH} height={HEIGHT} rx={isPlace ? HEIGHT / 2 : 4} />
      {lines.map((line, index) => (
        <text class="stage-name" key={line} x={x + WIDTH / 2} y={first + index * 12}>
          {line}
        </text>
      ))}
      {!isPlace && (
        <text class="stage-state" x={x + WIDTH / 2} y={y + 42}>
          {SIGNS[node.health]} {w.health(node.health)}
          {node.copies > 1 && ` ${w.copies(format.whole(node.copies))}`}
          {trouble(node)}
        </text>
      )}
      {node.fill !== undefined && <rect class="fill" x={x} y={y + HEIGHT - 4} width={WIDTH * node.fill} height="4" />}
    </g>
  );

  /** Errors and retries, once there are any. */
  function trouble({ rejected, redelivered, restarts }: Node): string {
    const told = [
      rejected > 0 ? `⊘${format.whole(rejected)}` : "",
      redelivered > 0 ? `↻${format.whole(redelivered)}` : "",
      restarts > 0 ? `⟳${format.whole(restarts)}` : "",
    ].filter((text) => text !== "");
    return told.length > 0 ? ` ${told.join(" ")}` : "";
  }
}

/** Behind these a name, or an address, may be broken. */
const SEAMS = ["-", ".", ":"];

/** A name in one line, or in two that break at the last seam of the first. */
function inLines(name: string): string[] {
  if (name.length <= MOST_CHARACTERS) return [name];
  const at = Math.max(...SEAMS.map((seam) => name.lastIndexOf(seam, MOST_CHARACTERS - 1)));
  const lines = at > 0 ? [name.slice(0, at + 1), name.slice(at + 1)] : [name];
  return lines.map((line) => (line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS - 1)}…` : line));
}

/** One rail for all servers that relay to each other: a line from each to each would hide the rest. */
function RelayRail({ placed, relays }: { placed: readonly Placed[]; relays: ReadonlySet<Link> }) {
  const readers = new Set([...relays].map((link) => link.to));
  const ends = placed.filter(({ node }) => readers.has(node.id));
  if (ends.length === 0) return null;
  const x = Math.min(...ends.map((end) => left(end.column))) - 14;
  const ys = ends.map((end) => top(end.row) + HEIGHT / 2);
  return (
    <g class="link relay">
      <path d={`M${x},${Math.min(...ys)} V${Math.max(...ys)}`} />
      {ends.map((end) => (
        <path key={end.node.id} d={`M${x},${top(end.row) + HEIGHT / 2} H${left(end.column)}`} />
      ))}
    </g>
  );
}

interface LineProps {
  link: Link;
  from: Placed;
  to: Placed;
}

function Line({ link, from, to }: LineProps) {
  const w = useWords(WORDS);
  const format = useFormat();
  const text = link.rate === undefined ? "" : w.perSecond(format.rate(link.rate));
  const isLive = (link.rate ?? 0) > 0;
  const way = from.column === to.column ? down(from, to) : across(from, to);
  return (
    <g class={`link ${link.medium}${isLive ? " live" : ""}`}>
      <path d={way.line} />
      <path class="head" d={way.head} />
      {text !== "" && (
        <text class={way.isDown ? "beside" : undefined} x={way.x} y={way.y}>
          {text}
        </text>
      )}
    </g>
  );
}

/** A line, its head, and where its rate stands. */
interface Way {
  readonly line: string;
  readonly head: string;
  readonly x: number;
  readonly y: number;
  readonly isDown?: boolean;
}

/** From the right side of one stage to the left side of another. */
function across(from: Placed, to: Placed): Way {
  const [x1, y1] = [left(from.column) + WIDTH, top(from.row) + HEIGHT / 2];
  const [x2, y2] = [left(to.column), top(to.row) + HEIGHT / 2];
  return {
    line: `M${x1},${y1} C${x1 + 22},${y1} ${x2 - 24},${y2} ${x2 - 5},${y2}`,
    head: `M${x2 - 7},${y2 - 4} L${x2},${y2} L${x2 - 7},${y2 + 4} z`,
    x: (x1 + x2) / 2,
    // Rates of lines that come from one place stand apart from each other.
    y: y1 === y2 ? y1 - 6 : y1 + (y2 - y1) * 0.75 - 4,
  };
}

/** From the lower side of a stage to the upper side of the one below it. */
function down(from: Placed, to: Placed): Way {
  const x = left(from.column) + WIDTH / 2;
  const [y1, y2] = [top(from.row) + HEIGHT, top(to.row)];
  return {
    line: `M${x},${y1} L${x},${y2 - 5}`,
    head: `M${x - 4},${y2 - 7} L${x},${y2} L${x + 4},${y2 - 7} z`,
    x: x + 6,
    y: (y1 + y2) / 2 + 3,
    isDown: true,
  };
}

function isOutside(machine: string): boolean {
  return machine === "kafka" || machine === "feed" || machine === BROWSERS;
}

function left(column: number): number {
  return column * CELL_WIDTH + MARGIN;
}

function top(row: number): number {
  return row * CELL_HEIGHT + TOP;
}
