/** Quantities over time. What the drawing shows stands above it in words: the newest values, or those that are pointed at. */

import { useEffect, useRef, useState } from "preact/hooks";
import { useFormat } from "../../ui/live.ts";
import { useSettings } from "../../ui/settings.ts";
import { useWords } from "../../ui/words.ts";
import { Drawing, type Value } from "./drawing.ts";
import { MARKS, TILE } from "./marks.ts";
import { WORDS } from "./words.ts";
import "./plot.css";

interface TimePlotProps {
  title: string;
  /** One name a curve. */
  names: readonly string[];
  /** In seconds since 1970, rising. */
  times: readonly number[];
  /** For each curve its value at each time. */
  values: readonly (readonly Value[])[];
  /** A value in words, and shorter for the axis. */
  text: (value: number) => string;
  tick?: (value: number) => string;
  /** Bars that stand on each other, instead of lines. */
  isStacked?: boolean;
  /** Upper end of the scale. */
  most?: number;
}

export function TimePlot({ title, names, times, values, text, tick = text, isStacked = false, most }: TimePlotProps) {
  const w = useWords(WORDS);
  const format = useFormat();
  const [pointed, setPointed] = useState<number>();
  const at = pointed === undefined ? undefined : times[pointed];
  const said = values.map((list) => (at === undefined ? list.findLast(isKnown) : list[pointed ?? 0]));
  const word = (value: Value | undefined): string => (isKnown(value) ? text(value) : "–");
  const words = values.map((list, index) => `${names[index]} ${w.spread(word(said[index]), ...spreadOf(list, word))}`);
  return (
    <figure class="plot">
      <figcaption>
        <span class="plot-title">{title}</span>
        {names.map((name, index) => (
          <span key={name} class="plot-name">
            <Swatch index={index} isStacked={isStacked} />
            {name === title ? "" : name} <strong>{word(said[index])}</strong>
          </span>
        ))}
        <span class="muted">{at === undefined ? "" : format.time(at * 1000)}</span>
      </figcaption>
      <Canvas
        label={`${title}: ${words.join("; ")}`}
        curves={names.length}
        times={times}
        values={values}
        tick={tick}
        isStacked={isStacked}
        most={most}
        onPoint={setPointed}
      />
    </figure>
  );
}

interface CanvasProps {
  label: string;
  curves: number;
  times: readonly number[];
  values: readonly (readonly Value[])[];
  tick: (value: number) => string;
  isStacked: boolean;
  most: number | undefined;
  onPoint: (index: number | undefined) => void;
}

function Canvas({ label, curves, times, values, tick, isStacked, most, onPoint }: CanvasProps) {
  const format = useFormat();
  const { theme } = useSettings();
  const element = useRef<HTMLDivElement>(null);
  const drawing = useRef<Drawing>();
  const [scheme, setScheme] = useState({});
  useEffect(() => {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const listener = (): void => setScheme({});
    dark.addEventListener("change", listener);
    return () => dark.removeEventListener("change", listener);
  }, []);
  useEffect(() => {
    if (element.current === null) return;
    const made = new Drawing(element.current, { curves, isStacked, most, format, text: tick, onPoint });
    made.show({ times, values });
    drawing.current = made;
    return () => made.remove();
  }, [curves, format, theme, scheme]);
  useEffect(() => drawing.current?.show({ times, values }), [times, values]);
  return (
    <div
      ref={element}
      class="plot-canvas"
      role="img"
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the keys move the pointer
      tabIndex={0}
      onKeyDown={(event) => {
        if (drawing.current?.press(event.key) === true) event.preventDefault();
      }}
      onBlur={() => drawing.current?.leave()}
    />
  );
}

/** How a curve looks, for the words beside it. */
function Swatch({ index, isStacked }: { index: number; isStacked: boolean }) {
  const kind = index % MARKS.length;
  return (
    <svg class={`swatch curve-${kind}`} width="14" height="14" viewBox={`0 0 ${TILE} ${TILE}`} aria-hidden="true">
      {isStacked ? (
        <>
          <rect width={TILE} height={TILE} fill="currentColor" />
          <path class="swatch-mark" d={MARKS[kind]} />
        </>
      ) : (
        <path d={index === 0 ? "M0,4 h8" : "M0,4 h3 M5,4 h3"} stroke="currentColor" stroke-width="1.6" />
      )}
    </svg>
  );
}

function isKnown(value: Value | undefined): value is number {
  return value !== null && value !== undefined;
}

/** Least and most of a list, in words. */
function spreadOf(list: readonly Value[], word: (value: Value | undefined) => string): [string, string] {
  const known = list.filter(isKnown);
  if (known.length === 0) return [word(null), word(null)];
  return [word(Math.min(...known)), word(Math.max(...known))];
}
