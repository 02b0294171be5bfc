/** What is wrong now, over the end of the page: it comes and goes without moving anything. */

import type { Level } from "../../store/condition.ts";
import { useLive } from "../../ui/live.ts";
import { useSettings } from "../../ui/settings.ts";
import { useWords } from "../../ui/words.ts";
import { partsOf } from "../health/parts.ts";
import { SIGNS, WORDS } from "../health/words.ts";
import "./banner.css";

const EVERY_MS = 500;
/** More would cover the page; the panels tell the rest. */
const MOST_REASONS = 4;

export function Banner() {
  const w = useWords(WORDS);
  const { language } = useSettings();
  const store = useLive(EVERY_MS);
  const wrong = partsOf(store).flatMap(({ name, panel, condition: { level, reasons } }) =>
    level === "down" || level === "degraded" ? reasons.map((reason) => ({ name, panel, level, reason })) : [],
  );
  wrong.sort((a, b) => rank(a.level) - rank(b.level));
  return (
    <div class="banner" role="status" aria-live="polite">
      {wrong.length > 0 && (
        <ul>
          {wrong.slice(0, MOST_REASONS).map(({ name, panel, level, reason }) => (
            <li key={name + reason("en")} class={`banner-${level}`}>
              <span aria-hidden="true">{SIGNS[level]}</span>{" "}
              <a href={`#${panel}`}>
                {w[name]}: {w[level]}
              </a>{" "}
              – {reason(language)}
            </li>
          ))}
          {wrong.length > MOST_REASONS && <li>{w.more(String(wrong.length - MOST_REASONS))}</li>}
        </ul>
      )}
    </div>
  );
}

function rank(level: Level): number {
  return level === "down" ? 0 : 1;
}
