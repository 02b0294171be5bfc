/** The hops of a trade as bars on one axis of time. */

import type { Hops } from "../../store/trade.ts";
import { useFormat } from "../../ui/live.ts";
import { useWords } from "../../ui/words.ts";
import { barOf, type Clock, legsOf } from "./hops.ts";
import { WORDS } from "./words.ts";

export function Waterfall({ hops }: { hops: Hops }) {
  const w = useWords(WORDS);
  const format = useFormat();
  const legs = legsOf(hops);
  const clocks: Record<Clock, string> = {
    exchange: w.clockExchange,
    producer: w.clockProducer,
    consumer: w.clockConsumer,
    server: w.clockServer,
    browser: w.clockBrowser,
  };
  const skews = legs.flatMap(({ skew }) => (skew === undefined ? [] : [skew]));
  return (
    <>
      <h3>{w.way}</h3>
      <p class="muted">{w.total(format.duration(hops.arrived - hops.traded))}</p>
      <ol class="waterfall">
        {legs.map((leg) => {
          const { left, width } = barOf(leg, legs);
          return (
            <li key={leg.to} class={leg.skew === undefined ? "" : "waterfall-skewed"}>
              <span>{w.leg(w[leg.from], w[leg.to])}</span>
              <span class="waterfall-track" aria-hidden="true">
                <span style={{ left: `${left}%`, width: `${width}%` }} />
              </span>
              <span class="waterfall-ms">
                {leg.skew === undefined ? "" : "⚠ "}
                {format.duration(leg.ms)}
              </span>
            </li>
          );
        })}
      </ol>
      {skews.map((skew) => (
        <p key={skew.behind} class="waterfall-note">
          ⚠ {w.skew(clocks[skew.behind], clocks[skew.ahead], format.duration(skew.ms))}
        </p>
      ))}
      <p class="muted">{w.clocks}</p>
    </>
  );
}
