/** Rate, latency and lag over the last five minutes. */

import { historyOf, type Vitals } from "../../status/vitals.ts";
import { useFormat, useLive } from "../../ui/live.ts";
import { useWords } from "../../ui/words.ts";
import { TimePlot } from "../plot/time-plot.tsx";
import { WORDS } from "./words.ts";

const EVERY_MS = 1000;

export function History() {
  const w = useWords(WORDS);
  const format = useFormat();
  const store = useLive(EVERY_MS);
  const { times, vitals } = historyOf(store).last(store.now());
  const tick = (one: number) => format.decimal(String(one));
  const of = (name: keyof Vitals) => vitals.map((one) => one[name]);
  return (
    <fieldset class="health-history">
      <legend class="visually-hidden">{w.history}</legend>
      <TimePlot
        title={w.rate}
        names={[w.rate]}
        times={times}
        values={[of("rate")]}
        text={(one) => format.rate(one)}
        tick={tick}
      />
      <TimePlot
        title={w.latency}
        names={["p50", "p99"]}
        times={times}
        values={[of("p50"), of("p99")]}
        text={(one) => format.duration(one)}
      />
      <TimePlot
        title={w.lag}
        names={[w.lag]}
        times={times}
        values={[of("lag")]}
        text={(one) => format.whole(one)}
        tick={tick}
      />
    </fieldset>
  );
}
