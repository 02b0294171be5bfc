/** What the pipeline file says to the page: the server's `page.json`. */

import { isRecord } from "./trade.ts";

export interface PageSettings {
  /** Where traces are shown, such as `http://jaeger.example.com:16686`. */
  readonly jaegerUrl?: string;
}

/** Reads what the server has for the page; anything that is no web address is left out. */
export function readPage(page: unknown): PageSettings {
  const url = isRecord(page) ? page["jaeger_url"] : undefined;
  return typeof url === "string" && /^https?:\/\//.test(url) && URL.canParse(url) ? { jaegerUrl: url } : {};
}
