/** Candles with volume of one market, and what they are digit for digit. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { Candle, Candles } from "../../store/candles.ts";
import { INTERVALS, type Interval, MOST_CHARTED } from "../../store/markets.ts";
import type { Store } from "../../store/store.ts";
import { EACH_DRAWING, follow, useFormat, useLive } from "../../ui/live.ts";
import { Panel } from "../../ui/panel.tsx";
import { useSettings } from "../../ui/settings.ts";
import { useWords } from "../../ui/words.ts";
import { CandleTable } from "./candle-table.tsx";
import { Legend } from "./legend.tsx";
import { Plot } from "./plot.ts";
import { SymbolPicker } from "./symbol-picker.tsx";
import { WORDS } from "./words.ts";
import "./chart.css";

const WORDS_MS = 200;

export function ChartPanel() {
  const w = useWords(WORDS);
  const format = useFormat();
  const store = useLive(WORDS_MS);
  const [chosen, setChosen] = useState<string>();
  const [interval, setSeconds] = useState<Interval>(1);
  const [pointed, setPointed] = useState<number>();
  const symbol = chosen ?? busiest(store);
  const market = symbol === undefined ? undefined : store.markets.get(symbol);
  const candles = market?.candles?.get(interval);
  const name = lengthName(w, interval);
  const candle = candles?.all.find(({ time }) => time === pointed) ?? candles?.newest;

  const choose = (next: string): void => {
    store.watch(next);
    setChosen(next);
  };
  return (
    <Panel
      id="chart"
      title={w.title}
      half
      tools={
        <>
          <SymbolPicker value={symbol ?? ""} onChoose={choose} />
          <fieldset class="chart-intervals">
            <legend class="visually-hidden">{w.interval}</legend>
            {INTERVALS.map(({ seconds }) => (
              <button
                key={seconds}
                type="button"
                aria-pressed={seconds === interval}
                onClick={() => setSeconds(seconds)}
              >
                {lengthName(w, seconds)}
              </button>
            ))}
          </fieldset>
        </>
      }
    >
      <Legend symbol={symbol} last={market?.last} candle={candle} />
      <Canvas
        store={store}
        candles={candles}
        label={w.describe(symbol ?? "", name, market === undefined ? "–" : format.decimal(market.last.price))}
        onPoint={setPointed}
      />
      <div class="chart-foot muted">
        {market !== undefined && candles === undefined && <p>{w.uncharted(format.whole(MOST_CHARTED))}</p>}
        <CandleTable candles={lastOf(candles)} />
        <small>
          <a href="https://www.tradingview.com/" target="_blank" rel="noreferrer">
            {w.library}
          </a>
        </small>
      </div>
    </Panel>
  );
}

interface CanvasProps {
  store: Store;
  candles: Candles | undefined;
  label: string;
  onPoint: (time: number | undefined) => void;
}

/** Draws by itself: Preact has no part in a frame of the chart. */
function Canvas({ store, candles, label, onPoint }: CanvasProps) {
  const format = useFormat();
  const { theme, colours, zone } = useSettings();
  const element = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot>();
  const shown = useRef(candles);
  shown.current = candles;
  useEffect(() => {
    if (element.current === null) return;
    const made = new Plot(element.current, onPoint);
    plot.current = made;
    const end = follow(store, EACH_DRAWING, () => made.show(shown.current));
    return () => {
      end();
      made.remove();
    };
  }, []);
  useEffect(() => {
    const dress = (): void => {
      plot.current?.dress(format);
      plot.current?.show(shown.current);
    };
    dress();
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", dress);
    return () => scheme.removeEventListener("change", dress);
  }, [format, theme, colours, zone]);
  useEffect(() => plot.current?.show(candles), [candles]);
  return (
    <div
      ref={element}
      class="chart-canvas"
      role="img"
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the keys move and zoom it
      tabIndex={0}
      onKeyDown={(event) => {
        if (plot.current?.press(event.key) === true) event.preventDefault();
      }}
    />
  );
}

/** The market with the most trades: what a page begins with. */
function busiest(store: Store): string | undefined {
  let most: { symbol: string; trades: number } | undefined;
  for (const market of store.markets.all()) {
    if (most === undefined || market.trades > most.trades) most = market;
  }
  return most?.symbol;
}

function lastOf(candles: Candles | undefined): readonly Candle[] {
  return candles?.all.slice(-12).reverse() ?? [];
}

function lengthName(w: ReturnType<typeof useWords<(typeof WORDS)["en"]>>, seconds: number): string {
  return seconds < 60 ? w.seconds(String(seconds)) : w.minutes(String(seconds / 60));
}
