/** Sentences about the state of the system, in each language. */

import type { Said } from "../store/condition.ts";
import { formatOf } from "../ui/format.ts";
import type { Language } from "../ui/settings.ts";

/** Names of one list that are said. */
const MOST = 4;

/** A sentence in each language, told when it is known which. */
function say(sentences: Record<Language, (language: Language) => string>): Said {
  return (language) => sentences[language](language);
}

function list(items: readonly (string | number)[]): string {
  const said = items.slice(0, MOST).join(", ");
  return items.length > MOST ? `${said}, … (${items.length})` : said;
}

function duration(ms: number, language: Language): string {
  return formatOf(language, "utc").duration(ms);
}

function whole(count: number, language: Language): string {
  return formatOf(language, "utc").whole(count);
}

export const SAY = {
  brokersDown: (ids: readonly number[]): Said =>
    say({ en: () => `broker ${list(ids)} is down`, ko: () => `브로커 ${list(ids)} 중단` }),
  offline: (partitions: readonly number[]): Said =>
    say({ en: () => `partition ${list(partitions)} has no leader`, ko: () => `파티션 ${list(partitions)} 리더 없음` }),
  underReplicated: (partitions: readonly number[]): Said =>
    say({
      en: () => `partition ${list(partitions)} is under-replicated`,
      ko: () => `파티션 ${list(partitions)} 복제 부족`,
    }),
  noLayout: (): Said =>
    say({ en: () => "no consumer could ask for the partitions yet", ko: () => "파티션 배치를 아직 알 수 없음" }),
  unread: (partitions: readonly number[]): Said =>
    say({
      en: () => `nobody reads partition ${list(partitions)}`,
      ko: () => `파티션 ${list(partitions)} 읽는 컨슈머 없음`,
    }),
  silent: (places: readonly string[]): Said =>
    say({ en: () => `no status from ${list(places)}`, ko: () => `상태 응답 없음: ${list(places)}` }),
  outside: (places: readonly string[]): Said =>
    say({ en: () => `not in the group: ${list(places)}`, ko: () => `그룹에 없음: ${list(places)}` }),
  behind: (messages: number, seconds: number): Said =>
    say({
      en: (language) =>
        `${whole(messages, language)} messages behind, the oldest ${duration(seconds * 1000, language)}`,
      ko: (language) => `${whole(messages, language)}건 지연, 가장 오래된 것 ${duration(seconds * 1000, language)}`,
    }),
  notReady: (place: string, reason: string): Said =>
    say({ en: () => `${place} is not ready: ${reason}`, ko: () => `${place} 준비 안 됨: ${reason}` }),
  unheard: (): Said =>
    say({
      en: () => "the page hears no status: what follows is what was known last",
      ko: () => "상태를 받지 못함: 마지막으로 알려진 값",
    }),
  clock: (host: string, aheadMs: number): Said =>
    say({
      en: (language) =>
        `the clock of ${host} is ${duration(Math.abs(aheadMs), language)} ${aheadMs > 0 ? "ahead" : "behind"}`,
      ko: (language) => `${host}의 시계가 ${duration(Math.abs(aheadMs), language)} ${aheadMs > 0 ? "빠름" : "느림"}`,
    }),
} as const;
