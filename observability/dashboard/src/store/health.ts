/** How the feed and this page are: what the page knows from its own connection. */

import { formatOf } from "../ui/format.ts";
import { settings } from "../ui/settings.ts";
import type { Words } from "../ui/words.ts";
import type { Condition, Said } from "./condition.ts";
import type { Store } from "./store.ts";

/** A feed that is silent for so long is not well, and then not there. Busy markets trade every second. */
const SLOW_MS = 10_000;
const SILENT_MS = 60_000;
/** A reconnect that is quicker is nobody's trouble. */
const BRIEF_MS = 1_500;
/** How long what went wrong is told after it did. */
const RECENT_MS = 60_000;
/** Below that a clock is as good as clocks are. */
const SKEW_MS = 2_000;

const WORDS: Words<{
  noLink: (server: string, time: string) => string;
  noTrade: (time: string) => string;
  never: string;
  missing: (n: string) => string;
  reset: (partition: string) => string;
  unreadable: (n: string) => string;
  ahead: (time: string) => string;
  behind: (time: string) => string;
}> = {
  en: {
    noLink: (server, time) => `no connection to ${server} for ${time}; trying again`,
    noTrade: (time) => `no trade for ${time}`,
    never: "no trade yet",
    missing: (n) => `${n} messages are missing: no server has them any more`,
    reset: (partition) => `${partition} began again`,
    unreadable: (n) => `${n} messages cannot be read`,
    ahead: (time) => `this browser's clock is ${time} ahead of the dashboard server's`,
    behind: (time) => `this browser's clock is ${time} behind the dashboard server's`,
  },
  ko: {
    noLink: (server, time) => `${server}와 ${time}째 연결이 끊겼습니다. 다시 연결하는 중입니다`,
    noTrade: (time) => `${time} 동안 체결이 없습니다`,
    never: "아직 체결이 없습니다",
    missing: (n) => `메시지 ${n}건이 빠졌습니다. 어느 서버에도 남아 있지 않습니다`,
    reset: (partition) => `${partition}이(가) 새로 시작되었습니다`,
    unreadable: (n) => `메시지 ${n}건을 읽을 수 없습니다`,
    ahead: (time) => `이 브라우저의 시계가 대시보드 서버보다 ${time} 빠릅니다`,
    behind: (time) => `이 브라우저의 시계가 대시보드 서버보다 ${time} 늦습니다`,
  },
};

export function feedHealth(store: Store): Condition {
  if (store.link.state !== "live") return { level: "unknown", reasons: [] };
  const silence = store.now() - Math.max(store.lastTradeAt ?? 0, store.link.since);
  if (silence < SLOW_MS) return { level: store.lastTradeAt === undefined ? "unknown" : "ok", reasons: [] };
  const reason: Said =
    store.lastTradeAt === undefined
      ? (language) => WORDS[language].never
      : (language) => WORDS[language].noTrade(long(store.now() - (store.lastTradeAt ?? 0)));
  return { level: silence < SILENT_MS ? "degraded" : "down", reasons: [reason] };
}

export function pageHealth(store: Store): Condition {
  const { state, server, since } = store.link;
  const away = store.now() - since;
  if (state !== "live" && state !== "paused" && away > BRIEF_MS) {
    const reason: Said = (language) => WORDS[language].noLink(hostOf(server), long(away));
    return { level: "down", reasons: [reason] };
  }
  const reasons = [...gapsOf(store), ...unreadableOf(store), ...skewOf(store)];
  return { level: reasons.length === 0 ? "ok" : "degraded", reasons };
}

/** Gaps of the last minute. */
function gapsOf(store: Store): Said[] {
  const recent = store.gaps.select(store.gaps.length, ({ at }) => store.now() - at < RECENT_MS);
  const missing = recent.reduce((sum, { gap }) => sum + (gap.to === undefined ? 0 : gap.to - gap.from + 1), 0);
  const reasons: Said[] = [];
  if (missing > 0) reasons.push((language) => WORDS[language].missing(whole(missing)));
  const reset = recent.find(({ gap }) => gap.reason === "reset");
  if (reset !== undefined)
    reasons.push((language) => WORDS[language].reset(`${reset.gap.topic}/${reset.gap.partition}`));
  return reasons;
}

function unreadableOf(store: Store): Said[] {
  const { at, total } = store.unreadableNow;
  if (total === 0 || store.now() - at > RECENT_MS) return [];
  return [(language) => WORDS[language].unreadable(whole(total))];
}

function skewOf(store: Store): Said[] {
  const ahead = store.clock.least(store.now()) ?? 0;
  if (store.isSettling(store.now())) return [];
  if (Math.abs(ahead) < SKEW_MS) return [];
  return [(language) => WORDS[language][ahead > 0 ? "ahead" : "behind"](long(Math.abs(ahead)))];
}

function long(ms: number): string {
  const { language, zone } = settings();
  return formatOf(language, zone).calm(ms);
}

function whole(value: number): string {
  const { language, zone } = settings();
  return formatOf(language, zone).whole(value);
}

export function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).host : address;
}
