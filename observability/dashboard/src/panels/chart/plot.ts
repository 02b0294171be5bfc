/**
 * The drawing of candles: a thin layer over lightweight-charts.
 *
 * The library is given numbers for pixels only. What stands in words comes from the candles, digit for digit.
 */

import {
  CandlestickSeries,
  ColorType,
  CrosshairMode,
  createChart,
  HistogramSeries,
  type IChartApi,
  type ISeriesApi,
  type UTCTimestamp,
} from "lightweight-charts";
import { decimalNumber } from "../../data/decimal.ts";
import type { Candle, Candles } from "../../store/candles.ts";
import { colourOf } from "../../ui/colour.ts";
import type { Format } from "../../ui/format.ts";

/** How far an arrow key moves, in candles, and how much a plus zooms. */
const STEP = 5;
const ZOOM = 1.25;

export class Plot {
  readonly #element: HTMLElement;
  readonly #chart: IChartApi;
  readonly #prices: ISeriesApi<"Candlestick">;
  readonly #volumes: ISeriesApi<"Histogram">;
  #shown: { candles: Candles; rewritten: number; newest: number } | undefined;
  #digits = -1;
  #colours = { rise: "", fall: "" };

  // The library's logo would bring a style element, which the page's policy refuses; the panel names the library.
  constructor(element: HTMLElement, onPoint: (time: number | undefined) => void) {
    this.#element = element;
    this.#chart = createChart(element, { autoSize: true, layout: { attributionLogo: false } });
    this.#prices = this.#chart.addSeries(CandlestickSeries, { borderVisible: true });
    this.#volumes = this.#chart.addSeries(HistogramSeries, {
      priceScaleId: "volume",
      priceFormat: { type: "volume" },
      lastValueVisible: false,
      priceLineVisible: false,
    });
    this.#prices.priceScale().applyOptions({ scaleMargins: { top: 0.08, bottom: 0.24 } });
    this.#chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
    this.#chart.subscribeCrosshairMove(({ time }) => onPoint(typeof time === "number" ? time : undefined));
  }

  /** Takes the colours of the page, and how it writes numbers and times. */
  dress(format: Format): void {
    const of = (name: string): string => colourOf(this.#element, name);
    const [line, muted] = [of("--line"), of("--muted")];
    const [rise, fall] = [of("--rise"), of("--fall")];
    this.#colours = { rise, fall };
    this.#chart.applyOptions({
      layout: {
        background: { type: ColorType.Solid, color: of("--surface") },
        textColor: muted,
        fontFamily: getComputedStyle(this.#element).fontFamily,
      },
      grid: { vertLines: { color: line, style: 1 }, horzLines: { color: line, style: 1 } },
      crosshair: { mode: CrosshairMode.Normal },
      rightPriceScale: { borderColor: line },
      timeScale: {
        borderColor: line,
        timeVisible: true,
        secondsVisible: true,
        rightOffset: 3,
        tickMarkFormatter: (time: number) => format.time(time * 1000),
      },
      localization: { timeFormatter: (time: number) => format.date(time * 1000) },
    });
    this.#prices.applyOptions({
      upColor: rise,
      downColor: fall,
      borderUpColor: rise,
      borderDownColor: fall,
      wickUpColor: rise,
      wickDownColor: fall,
      priceFormat: {
        type: "custom",
        minMove: 10 ** -Math.max(0, this.#digits),
        formatter: (price: number) => format.decimal(price.toFixed(Math.max(0, this.#digits))),
      },
    });
    this.#shown = undefined;
  }

  /** Shows these candles; only the newest one is drawn again when nothing else changed. */
  show(candles: Candles | undefined): void {
    const newest = candles?.newest;
    if (candles === undefined || newest === undefined) {
      if (this.#shown !== undefined || candles === undefined) this.#clear();
      return;
    }
    this.#widenTo(newest);
    const { all, rewritten } = candles;
    const isSame = this.#shown?.candles === candles && this.#shown.rewritten === rewritten;
    if (isSame) {
      // Since the last drawing the newest one changed, and new ones may stand behind it.
      let first = all.length - 1;
      while (first > 0 && (all[first] as Candle).time > (this.#shown?.newest ?? 0)) first -= 1;
      for (const candle of all.slice(first)) {
        this.#prices.update(bar(candle));
        this.#volumes.update(this.#volume(candle));
      }
    } else {
      this.#prices.setData(all.map(bar));
      this.#volumes.setData(all.map((candle) => this.#volume(candle)));
      if (this.#shown?.candles !== candles) this.#chart.timeScale().scrollToRealTime();
    }
    this.#shown = { candles, rewritten, newest: newest.time };
  }

  /** Moves by the keyboard; false for keys that mean nothing here. */
  press(key: string): boolean {
    const scale = this.#chart.timeScale();
    const range = scale.getVisibleLogicalRange();
    if (range === null) return false;
    const { from, to } = range;
    const move = (by: number): void => scale.setVisibleLogicalRange({ from: from + by, to: to + by });
    const zoom = (by: number): void => scale.setVisibleLogicalRange({ from: to - (to - from) * by, to });
    const actions: Record<string, () => void> = {
      ArrowLeft: () => move(-STEP),
      ArrowRight: () => move(STEP),
      "+": () => zoom(1 / ZOOM),
      "=": () => zoom(1 / ZOOM),
      "-": () => zoom(ZOOM),
      End: () => scale.scrollToRealTime(),
      Home: () => scale.fitContent(),
    };
    const action = actions[key];
    action?.();
    return action !== undefined;
  }

  remove(): void {
    this.#chart.remove();
  }

  #clear(): void {
    this.#prices.setData([]);
    this.#volumes.setData([]);
    this.#shown = undefined;
    this.#digits = -1;
  }

  /** The axis has as many digits as the prices. */
  #widenTo({ last }: Candle): void {
    const digits = Math.min(last.priceValue.scale, 12);
    const isNew = this.#digits < 0;
    if (digits <= this.#digits) return;
    this.#digits = digits;
    const { priceFormat } = this.#prices.options();
    this.#prices.applyOptions({ priceFormat: { ...priceFormat, minMove: 10 ** -digits } as typeof priceFormat });
    if (isNew) this.#chart.priceScale("right").applyOptions({ autoScale: true });
  }

  #volume(candle: Candle) {
    const [open, close] = [decimalNumber(candle.first.priceValue), decimalNumber(candle.last.priceValue)];
    const colour = close >= open ? this.#colours.rise : this.#colours.fall;
    return { time: candle.time as UTCTimestamp, value: decimalNumber(candle.volume), color: colour };
  }
}

function bar(candle: Candle) {
  return {
    time: candle.time as UTCTimestamp,
    open: decimalNumber(candle.first.priceValue),
    high: decimalNumber(candle.high.priceValue),
    low: decimalNumber(candle.low.priceValue),
    close: decimalNumber(candle.last.priceValue),
  };
}
