/**
 * One status server as the page knows it: the last documents that it gave, and what is wrong with it now.
 *
 * The last good document stays when polls fail, so that the page shows what was known, and since when nothing is.
 */

import type { StatusReport } from "../store/status.ts";
import { Clock } from "./clock.ts";
import { type Copy, readCopy } from "./document.ts";
import type { GroupDocument } from "./kafka.ts";
import { MemberLog } from "./log.ts";
import { type Reading, rate } from "./rates.ts";
import { Notes } from "./read.ts";

/** Why a server gives no document. `http`: another status than 200; `text`: no JSON; `shape`: JSON, but no status. */
export type Trouble =
  | { readonly kind: "unreachable"; readonly detail: string }
  | { readonly kind: "http"; readonly detail: string }
  | { readonly kind: "text"; readonly detail: string }
  | { readonly kind: "shape"; readonly detail: string };

export interface Sample {
  /** When it was asked, by the clock of the server that polls. */
  readonly at: number;
  readonly copy: Copy;
}

/** Documents that rates are computed from, by age. */
const WINDOW_MS = 6_000;
/** A poll that is older than the last one by more than this says that the polling clock was set back. */
const SET_BACK_MS = 60_000;
/** Characters of a foreign answer that are shown. */
const SHOWN = 80;

export class Seat {
  readonly url: string;
  /** `10.0.0.1` of `http://10.0.0.1:8081/status`. */
  readonly host: string;
  readonly port: string;
  readonly clock = new Clock();
  readonly log = new MemberLog();
  /** Oldest first; at least the last one, however old. */
  samples: readonly Sample[] = [];
  trouble: Trouble | undefined;
  /** Since when the trouble lasts, by the clock of the server that polls. */
  troubleSince: number | undefined;
  /** Fields of the last document that could not be read. */
  notes = new Notes();
  /** Answers that could not be read, at all or in part, since the page was opened. */
  unreadable = 0;
  lastAt: number | undefined;
  /** By this browser's clock. */
  heardAt = 0;

  constructor(url: string) {
    this.url = url;
    const place = parsePlace(url);
    this.host = place.host;
    this.port = place.port;
  }

  /** The newest good document. */
  get copy(): Copy | undefined {
    return this.samples.at(-1)?.copy;
  }

  get group(): GroupDocument | undefined {
    return groupOf(this.copy);
  }

  /** Whether the newest poll gave a document. */
  get isAnswering(): boolean {
    return this.trouble === undefined && this.samples.length > 0;
  }

  /** Takes a report; says whether it is newer than what is known. */
  take(report: StatusReport): boolean {
    if (this.lastAt !== undefined && report.at <= this.lastAt) {
      if (this.lastAt - report.at < SET_BACK_MS) return false;
      this.samples = this.samples.slice(-1);
    }
    this.lastAt = report.at;
    this.heardAt = report.heardAt;
    const read = this.#read(report);
    if ("kind" in read) this.#failed(report, read);
    else this.#answered(report, read);
    return true;
  }

  /** How many a second `pick` counts. */
  rate(pick: (copy: Copy) => number | undefined): number | undefined {
    return rate(this.samples.map(({ at, copy }): Reading => ({ at, count: pick(copy) })));
  }

  /** The same for what the Kafka member counts, by the time of its own documents. */
  groupRate(pick: (group: GroupDocument) => number | undefined): number | undefined {
    const readings: Reading[] = [];
    for (const { at, copy } of this.samples) {
      const group = groupOf(copy);
      const madeAt = group?.atMs ?? at;
      if (group !== undefined && readings.at(-1)?.at !== madeAt) readings.push({ at: madeAt, count: pick(group) });
    }
    return rate(readings);
  }

  #read(report: StatusReport): Copy | Trouble {
    if (report.error !== undefined) return { kind: "unreachable", detail: report.error };
    const { status, body } = report;
    if (status !== undefined && status !== 200) return { kind: "http", detail: `HTTP ${status}` };
    if (typeof body === "string") return { kind: "text", detail: excerpt(body) };
    this.notes = new Notes();
    return readCopy(body, this.notes) ?? { kind: "shape", detail: excerpt(JSON.stringify(body) ?? "") };
  }

  #failed(report: StatusReport, trouble: Trouble): void {
    if (trouble.kind !== "unreachable") this.unreadable += 1;
    const lastSeen = this.samples.at(-1)?.at;
    if (this.trouble === undefined) {
      this.troubleSince = report.at;
      if (lastSeen !== undefined) this.log.silent(lastSeen, trouble.detail);
    }
    this.trouble = trouble;
  }

  #answered(report: StatusReport, copy: Copy): void {
    if (this.notes.count > 0) this.unreadable += 1;
    this.trouble = undefined;
    this.troubleSince = undefined;
    const group = groupOf(copy);
    if (group !== undefined) {
      if (group.atMs !== undefined) this.clock.note(group.atMs, report.at, report.tookMs ?? 0);
      this.log.take(group, { at: report.at, lastAt: this.samples.at(-1)?.at, aheadMs: this.clock.aheadMs });
    }
    const young = this.samples.filter(({ at }) => at > report.at - WINDOW_MS && at < report.at);
    const kept = young.length > 0 ? young : this.samples.slice(-1);
    this.samples = [...kept, { at: report.at, copy }];
  }
}

export function groupOf(copy: Copy | undefined): GroupDocument | undefined {
  return copy?.stages.find((stage) => stage.group !== undefined)?.group;
}

function excerpt(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line;
}

function parsePlace(url: string): { host: string; port: string } {
  try {
    const { hostname, port, protocol } = new URL(url);
    return { host: hostname, port: port === "" ? (protocol === "https:" ? "443" : "80") : port };
  } catch {
    return { host: url, port: "" };
  }
}
