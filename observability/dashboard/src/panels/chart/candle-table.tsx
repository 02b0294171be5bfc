/** The last candles in words: for who cannot see the drawing, and for who wants the digits. */

import { useState } from "preact/hooks";
import { decimalText } from "../../data/decimal.ts";
import type { Candle } from "../../store/candles.ts";
import { useFormat } from "../../ui/live.ts";
import { useWords } from "../../ui/words.ts";
import { WORDS } from "./words.ts";

export function CandleTable({ candles }: { candles: readonly Candle[] }) {
  const w = useWords(WORDS);
  const format = useFormat();
  const [isOpen, setOpen] = useState(false);
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{w.table}</summary>
      {isOpen && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard
        <section class="candle-table" tabIndex={0} aria-label={w.table}>
          <table>
            <thead>
              <tr>
                {[w.time, w.openLong, w.highLong, w.lowLong, w.closeLong, w.volume, w.trades].map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {candles.map((candle) => (
                <tr key={candle.time}>
                  <th scope="row">{format.time(candle.time * 1000)}</th>
                  {[candle.first, candle.high, candle.low, candle.last].map((tick, index) => (
                    <td key={index}>{format.decimal(tick.price)}</td>
                  ))}
                  <td>{format.decimal(decimalText(candle.volume))}</td>
                  <td>{format.whole(candle.trades)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </details>
  );
}
