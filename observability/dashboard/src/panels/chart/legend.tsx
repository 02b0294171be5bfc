/** The price now, and the candle under the crosshair or the newest one. */

import { compareDecimals, decimalText } from "../../data/decimal.ts";
import type { Candle } from "../../store/candles.ts";
import type { Trade } from "../../store/trade.ts";
import { useFormat } from "../../ui/live.ts";
import { useWords } from "../../ui/words.ts";
import { WORDS } from "./words.ts";

interface LegendProps {
  symbol: string | undefined;
  last: Trade | undefined;
  candle: Candle | undefined;
}

export function Legend({ symbol, last, candle }: LegendProps) {
  const w = useWords(WORDS);
  const format = useFormat();
  if (last === undefined) return <div class="legend muted">{w.waiting}</div>;
  const way = candle === undefined ? 0 : compareDecimals(candle.last.priceValue, candle.first.priceValue);
  const sign = way > 0 ? "▲" : way < 0 ? "▼" : "＝";
  const colour = way > 0 ? "rise" : way < 0 ? "fall" : "muted";
  return (
    <div class="legend">
      <span class="legend-price">
        <span class={colour} aria-hidden="true">
          {sign}
        </span>{" "}
        <strong data-last={symbol}>{format.decimal(last.price)}</strong>
      </span>
      {candle !== undefined && (
        <span class="legend-candle">
          <Value name={w.open} title={w.openLong} text={format.decimal(candle.first.price)} />
          <Value name={w.high} title={w.highLong} text={format.decimal(candle.high.price)} />
          <Value name={w.low} title={w.lowLong} text={format.decimal(candle.low.price)} />
          <Value name={w.close} title={w.closeLong} text={format.decimal(candle.last.price)} />
          <Value name={w.volume} title={w.volume} text={format.decimal(decimalText(candle.volume))} />
          <Value name="" title={w.time} text={format.time(candle.time * 1000)} />
        </span>
      )}
    </div>
  );
}

function Value({ name, title, text }: { name: string; title: string; text: string }) {
  return (
    <span title={title}>
      <span class="muted">{name}</span> {text}
    </span>
  );
}
