/** A state as a sign and a word: a colour only repeats what they say. */

import "./parts.css";

export type Tone = "ok" | "warn" | "bad" | "idle";

const SIGNS: Record<Tone, string> = { ok: "●", warn: "▲", bad: "✕", idle: "○" };

export function Sign({ tone, children }: { tone: Tone; children: string }) {
  return (
    <span class={`sign ${tone}`}>
      <span aria-hidden="true">{SIGNS[tone]}</span> {children}
    </span>
  );
}

/** What is not known. */
export function Unknown() {
  return (
    <span class="muted" aria-hidden="true">
      –
    </span>
  );
}
