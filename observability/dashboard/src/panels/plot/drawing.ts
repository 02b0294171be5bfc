/** The drawing of quantities over time: a thin layer over uPlot, which is given numbers for pixels only. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { colourOf } from "../../ui/colour.ts";
import type { Format } from "../../ui/format.ts";
import { MARKS, patternOf } from "./marks.ts";

/** Pixels that the numbers beside the drawing and the times under it take, and least between two of them. */
const SIDE_PX = 52;
const FOOT_PX = 22;
const SIDE_GAP_PX = 20;
const FOOT_GAP_PX = 84;
/** What is left free above the highest value. */
const HEADROOM = 1.15;
/** How much of its step a bar takes. */
const BAR = 0.85;

export type Value = number | null;

/** What is drawn: all lists are as long as `times`. */
export interface Curves {
  /** In seconds since 1970, rising. */
  readonly times: readonly number[];
  readonly values: readonly (readonly Value[])[];
}

export interface Look {
  readonly curves: number;
  /** Bars that stand on each other, instead of lines. */
  readonly isStacked: boolean;
  /** Upper end of the scale; that of the values when missing. */
  readonly most: number | undefined;
  readonly format: Format;
  readonly text: (value: number) => string;
  readonly onPoint: (index: number | undefined) => void;
}

export class Drawing {
  readonly #plot: uPlot;
  readonly #look: Look;
  readonly #observer: ResizeObserver;

  constructor(element: HTMLElement, look: Look) {
    this.#look = look;
    const size = () => ({ width: element.clientWidth, height: element.clientHeight });
    this.#plot = new uPlot({ ...options(element, look), ...size() }, [[]], element);
    this.#observer = new ResizeObserver(() => this.#plot.setSize(size()));
    this.#observer.observe(element);
  }

  show({ times, values }: Curves): void {
    const drawn = this.#look.isStacked ? stacked(values) : values;
    this.#plot.setData([times, ...drawn] as uPlot.AlignedData);
  }

  /** Moves the pointer by the keyboard; false for keys that mean nothing here. */
  press(key: string): boolean {
    const [times] = this.#plot.data;
    const last = times.length - 1;
    const from = this.#plot.cursor.idx ?? last;
    const goals: Record<string, number> = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last };
    const goal = goals[key];
    if (key === "Escape") this.leave();
    if (goal === undefined) return key === "Escape";
    const time = times[Math.max(0, Math.min(last, goal))] ?? 0;
    this.#plot.setCursor({ left: this.#plot.valToPos(time, "x"), top: 0 });
    return true;
  }

  /** Takes the pointer away. */
  leave(): void {
    this.#plot.setCursor({ left: -10, top: -10 });
  }

  remove(): void {
    this.#observer.disconnect();
    this.#plot.destroy();
  }
}

/** Each list with those before it added, the highest first: every bar stands before the ones that reach higher. */
function stacked(values: readonly (readonly Value[])[]): Value[][] {
  const sums: Value[][] = [];
  for (const list of values) {
    const below = sums[0];
    sums.unshift(list.map((value, index) => (value === null ? null : value + (below?.[index] ?? 0))));
  }
  return sums;
}

function options(element: HTMLElement, look: Look): Omit<uPlot.Options, "width" | "height"> {
  const { format, text, onPoint } = look;
  const of = (name: string): string => colourOf(element, name);
  const axis = {
    stroke: of("--muted"),
    font: `11px ${getComputedStyle(element).fontFamily}`,
    grid: { stroke: of("--line"), width: 1 },
    ticks: { show: false },
  };
  return {
    legend: { show: false },
    padding: [8, 8, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { show: !look.isStacked, size: 6 } },
    scales: {
      x: { time: false, range: (plot, least, most) => (look.isStacked ? widened(plot, least, most) : [least, most]) },
      y: { range: (_, _least, most) => [0, look.most ?? (most > 0 ? most * HEADROOM : 1)] },
    },
    axes: [
      {
        ...axis,
        size: FOOT_PX,
        space: FOOT_GAP_PX,
        incrs: [60, 120],
        values: (_, times) => times.map((time) => format.minute(time * 1000)),
      },
      { ...axis, size: SIDE_PX, space: SIDE_GAP_PX, values: (_, ticks) => ticks.map(text) },
    ],
    series: [{}, ...Array.from({ length: look.curves }, (_, index) => curve(index, look, of))],
    hooks: { setCursor: [(plot) => onPoint(plot.cursor.idx ?? undefined)] },
  };
}

/** A bar reaches half of a step to each side of its time. */
function widened(plot: uPlot, least: number, most: number): uPlot.Range.MinMax {
  const half = (most - least) / Math.max(1, plot.data[0].length - 1) / 2;
  return [least - half, most + half];
}

function curve(index: number, look: Look, of: (name: string) => string): uPlot.Series {
  const points = { show: false };
  // The second line is dashed: they can be told apart without their colours.
  if (!look.isStacked) return { points, stroke: of(`--curve-${index}`), width: 1.75, dash: index === 0 ? [] : [5, 3] };
  const kind = (look.curves - 1 - index) % MARKS.length;
  const fill = patternOf(kind, of(`--curve-${kind}`), of("--surface"));
  const paths = uPlot.paths.bars?.({ size: [BAR, Number.POSITIVE_INFINITY] });
  return { points, fill, width: 0, ...(paths === undefined ? {} : { paths }) };
}
