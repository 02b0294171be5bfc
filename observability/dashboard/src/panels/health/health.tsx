/** How everything is, at one glance. */

import { totalLag } from "../../status/lag.ts";
import { useFormat, useLive } from "../../ui/live.ts";
import { useSettings } from "../../ui/settings.ts";
import { useWords } from "../../ui/words.ts";
import { History } from "./history.tsx";
import { type Part, partsOf } from "./parts.ts";
import { SIGNS, WORDS } from "./words.ts";
import "./health.css";

const EVERY_MS = 500;

export function HealthStrip() {
  const w = useWords(WORDS);
  return (
    <section class="health" id="health" aria-label={w.title}>
      <Parts />
      <Numbers />
      <History />
    </section>
  );
}

function Parts() {
  const store = useLive(EVERY_MS);
  return (
    <ul class="health-parts">
      {partsOf(store).map((part) => (
        <PartTile key={part.name} part={part} />
      ))}
    </ul>
  );
}

function PartTile({ part: { name, panel, condition } }: { part: Part }) {
  const w = useWords(WORDS);
  const format = useFormat();
  const { language } = useSettings();
  const { level, reasons } = condition;
  const [first] = reasons;
  return (
    <li>
      <a href={`#${panel}`} class={`part part-${level}`} data-part={name} data-level={level}>
        <span class="part-name">{w[name]}</span>
        <span class="part-level">
          <span aria-hidden="true">{SIGNS[level]}</span> {w[level]}
        </span>
        <span class="part-reason">
          {first?.(language)}
          {reasons.length > 1 && ` (${w.more(format.whole(reasons.length - 1))})`}
        </span>
      </a>
    </li>
  );
}

function Numbers() {
  const w = useWords(WORDS);
  const format = useFormat();
  const store = useLive(EVERY_MS);
  const now = store.now();
  const { counters } = store;
  const time = (share: number): string => {
    const ms = store.latency.quantile(now, share);
    return ms === undefined ? "–" : format.duration(ms);
  };
  const rate = store.rate();
  const lag = totalLag(store);
  const behind = lag.messages && lag.seconds !== undefined ? format.duration(lag.seconds * 1000) : undefined;
  const unreadable = [...counters.unreadable.values()].reduce((sum, count) => sum + count, 0);
  const numbers = [
    { name: "rate", text: rate === undefined ? "–" : format.rate(rate) },
    { name: "p50", text: time(0.5) },
    { name: "p99", text: time(0.99) },
    { name: "lag", text: lag.messages === undefined ? "–" : format.whole(lag.messages), more: behind },
    { name: "trades", text: format.whole(counters.trades) },
    { name: "duplicates", text: format.whole(counters.duplicates) },
    { name: "missing", text: format.whole(counters.missing), isBad: counters.missing > 0 },
    { name: "unreadable", text: format.whole(unreadable), isBad: unreadable > 0 },
  ] as const;
  return (
    <dl class="health-numbers">
      {numbers.map((number) => (
        <div
          key={number.name}
          title={w[`${number.name}Hint`]}
          class={"isBad" in number && number.isBad ? "is-bad" : ""}
        >
          <dt>{w[number.name]}</dt>
          <dd data-number={number.name}>
            {"isBad" in number && number.isBad ? "⚠ " : ""}
            {number.text}
          </dd>
          {"more" in number && number.more !== undefined && <dd class="muted health-more">{number.more}</dd>}
        </div>
      ))}
    </dl>
  );
}
