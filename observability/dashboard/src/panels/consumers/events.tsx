/** The timeline of rebalances and failures, newest first. */

import type { EventKind, GroupEvent } from "../../status/timeline.ts";
import { useFormat } from "../../ui/live.ts";
import { useWords } from "../../ui/words.ts";
import type { Tone } from "../parts/sign.tsx";
import { WORDS } from "./words.ts";

const SHOWN = 60;

const SIGNS: Record<EventKind, readonly [Tone, string]> = {
  joined: ["ok", "+"],
  left: ["warn", "−"],
  lost: ["bad", "✕"],
  back: ["ok", "●"],
  restarted: ["warn", "↻"],
  assigned: ["ok", "→"],
  moved: ["warn", "⇄"],
  resumed: ["ok", "→"],
  released: ["idle", "←"],
};

export function Events({ events }: { events: readonly GroupEvent[] }) {
  const w = useWords(WORDS);
  return (
    <div class="panel-part">
      <h3 id="timeline-title">{w.timeline}</h3>
      {events.length === 0 ? (
        <p class="muted">{w.noEvents}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
        <ol class="events" aria-labelledby="timeline-title" tabIndex={0}>
          {events.slice(0, SHOWN).map((event) => (
            <Item key={`${event.at}/${event.kind}/${event.member}/${event.partitions.join()}`} event={event} />
          ))}
        </ol>
      )}
    </div>
  );
}

function Item({ event }: { event: GroupEvent }) {
  const w = useWords(WORDS);
  const format = useFormat();
  const [tone, sign] = SIGNS[event.kind];
  return (
    <li data-event={event.kind}>
      <time class="muted" dateTime={new Date(event.at).toISOString()}>
        {format.time(event.at)}
      </time>
      <span class={`event-sign sign ${tone}`} aria-hidden="true">
        {sign}
      </span>
      <span>
        {sentence(event)}
        {event.unreadMs !== undefined && (
          <span class={event.unreadMs > 1000 ? "warn-text" : "muted"}>
            {" "}
            · {w.unreadTime(format.duration(event.unreadMs))}
          </span>
        )}
        {event.detail !== "" && event.kind === "lost" && <span class="muted"> · {event.detail}</span>}
      </span>
    </li>
  );

  function sentence({ kind, member, partitions, from, detail }: GroupEvent): string {
    const numbers = partitions.join(", ");
    if (kind === "moved") return w.moved(numbers, from ?? "", member);
    if (kind === "lost") return detail === "" ? w.lostPartitions(member, numbers) : w.lost(member);
    return w[kind](member, numbers);
  }
}
