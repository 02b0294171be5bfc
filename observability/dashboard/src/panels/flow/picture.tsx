/** The picture: boxes of machines, stages in them, and lines with their rates. */

import { BROWSERS, type Link, type Node, type NodeHealth } from "../../status/graph.ts";
import type { Box, Layout, Placed } from "../../status/layout.ts";
import { useFormat } from "../../ui/live.ts";
import { useWords } from "../../ui/words.ts";
import { WORDS } from "./words.ts";

/** A place of the grid, and a stage in it. */
const CELL_WIDTH = 186;
const CELL_HEIGHT = 84;
const WIDTH = 132;
const HEIGHT = 46;
const TOP = 26;
const MARGIN = 8;
/** Characters of a name that fit into a stage. */
const MOST_CHARACTERS = 18;

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
    <section class="flow-scroller" aria-label={w.title} tabIndex={0}>
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
        {layout.boxes.map((box) => (
          <MachineBox key={box.machine} box={box} />
        ))}
        {links.map((link) => {
          const [from, to] = [places.get(link.from), places.get(link.to)];
          if (from === undefined || to === undefined) return null;
          const isRelay = layout.relays.has(link);
          return <Line key={`${link.from}→${link.to}`} link={link} from={from} to={to} isRelay={isRelay} />;
        })}
        {layout.placed.map((placed) => (
          <StageBox key={placed.node.id} placed={placed} />
        ))}
      </svg>
    </section>
  );
}

function MachineBox({ box }: { box: Box }) {
  const { machine, column, row, columns, rows } = box;
  if (isOutside(machine)) return null;
  return (
    <g class="machine">
      <rect
        x={left(column) - 7}
        y={row * CELL_HEIGHT + 4}
        width={columns * CELL_WIDTH - (CELL_WIDTH - WIDTH) + 14}
        height={rows * CELL_HEIGHT - 8}
        rx="6"
      />
      <text x={left(column) - 1} y={row * CELL_HEIGHT + 18}>
        {machine}
      </text>
    </g>
  );
}

function StageBox({ placed: { node, column, row } }: { placed: Placed }) {
  const w = useWords(WORDS);
  const format = useFormat();
  const [x, y] = [left(column), top(row)];
  const isPlace = isOutside(node.machine);
  return (
    <g class={`stage ${TONES[node.health]}${isPlace ? " outside" : ""}`} data-stage={node.id}>
      <title>{[node.name, ...node.reasons].join("\n")}</title>
      <rect x={x} y={y} width={WIDTH} height={HEIGHT} rx={isPlace ? HEIGHT / 2 : 4} />
      <text class="stage-name" x={x + WIDTH / 2} y={y + (isPlace ? 28 : 19)}>
        {shortened(node.id === BROWSERS ? w.browsers : node.name)}
      </text>
      {!isPlace && (
        <text class="stage-state" x={x + WIDTH / 2} y={y + 36}>
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

interface LineProps {
  link: Link;
  from: Placed;
  to: Placed;
  isRelay: boolean;
}

function Line({ link, from, to, isRelay }: LineProps) {
  const w = useWords(WORDS);
  const format = useFormat();
  const [x1, y1] = [left(from.column) + WIDTH, top(from.row) + HEIGHT / 2];
  const [x2, y2] = [left(to.column), top(to.row) + HEIGHT / 2];
  const text = link.rate === undefined ? "" : w.perSecond(format.rate(link.rate));
  const isLive = (link.rate ?? 0) > 0;
  return (
    <g class={`link ${link.medium}${isRelay ? " relay" : ""}${isLive ? " live" : ""}`}>
      <path d={isRelay ? around(from, to) : `M${x1},${y1} C${x1 + 26},${y1} ${x2 - 26},${y2} ${x2 - 4},${y2}`} />
      {!isRelay && <path class="head" d={`M${x2 - 7},${y2 - 4} L${x2},${y2} L${x2 - 7},${y2 + 4} z`} />}
      {text !== "" && (
        <text x={(x1 + x2) / 2} y={labelY(y1, y2)}>
          {text}
        </text>
      )}
    </g>
  );
}

/** Rates of lines that come from or go to one place stand apart from each other. */
function labelY(y1: number, y2: number): number {
  return y1 === y2 ? y1 - 5 : y1 + (y2 - y1) * 0.72 - 4;
}

/** The way of a relay: from below one server to below the stage that reads it. */
function around(from: Placed, to: Placed): string {
  const [x1, y1] = [left(from.column) + WIDTH / 2, top(from.row) + (from.row > to.row ? 0 : HEIGHT)];
  const [x2, y2] = [left(to.column) + WIDTH / 2, top(to.row) + (from.row > to.row ? HEIGHT : 0)];
  return `M${x1},${y1} C${x1},${(y1 + y2) / 2} ${x2},${(y1 + y2) / 2} ${x2},${y2}`;
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

function shortened(name: string): string {
  return name.length > MOST_CHARACTERS ? `${name.slice(0, MOST_CHARACTERS - 1)}…` : name;
}
