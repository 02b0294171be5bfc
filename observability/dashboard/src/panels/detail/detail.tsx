/** All about one trade, over the page. */

import { useEffect, useRef } from "preact/hooks";
import { ownerOf } from "../../status/owners.ts";
import type { Trade } from "../../store/trade.ts";
import { millisOf } from "../../ui/format.ts";
import { useFormat, useStore } from "../../ui/live.ts";
import { useWords } from "../../ui/words.ts";
import { SideMark } from "../tape/row.tsx";
import { sampledTrace } from "./hops.ts";
import { Waterfall } from "./waterfall.tsx";
import { WORDS } from "./words.ts";
import "./detail.css";

interface TradeDetailProps {
  trade: Trade;
  onClose: () => void;
}

export function TradeDetail({ trade, onClose }: TradeDetailProps) {
  const w = useWords(WORDS);
  const format = useFormat();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog by itself
    <dialog
      ref={dialog}
      class="detail"
      aria-labelledby="detail-title"
      onClose={onClose}
      onClick={(event) => {
        if (event.target === dialog.current) dialog.current?.close();
      }}
    >
      <div class="detail-body">
        <div class="panel-head">
          <h2 id="detail-title">{w.title(trade.symbol, format.decimal(trade.price))}</h2>
          <button type="button" onClick={() => dialog.current?.close()}>
            {w.close}
          </button>
        </div>
        <Facts trade={trade} />
        <Waterfall hops={trade.hops} />
        <h3>{w.raw}</h3>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard */}
        <pre tabIndex={0}>{pretty(trade.raw)}</pre>
      </div>
    </dialog>
  );
}

function Facts({ trade }: { trade: Trade }) {
  const w = useWords(WORDS);
  const format = useFormat();
  const store = useStore();
  const { position } = trade;
  const facts: [string, preact.ComponentChildren][] = [
    [w.venue, trade.venue],
    [w.price, format.decimal(trade.price)],
    [w.size, format.decimal(trade.size)],
    [w.side, <SideMark key="side" side={trade.side} words={{ buy: w.buy, sell: w.sell, none: w.unknown }} />],
    [w.id, trade.id ?? w.unknown],
    [w.tradedAt, `${format.date(trade.hops.traded)}.${millisOf(trade.hops.traded)}`],
    [w.position, position === undefined ? w.unknown : `${position.topic}/${position.partition}:${position.offset}`],
    [w.server, trade.server],
    [w.consumer, (position && ownerOf(store, position.topic, position.partition)) ?? w.unknown],
    [w.trace, <TraceLink key="trace" trade={trade} />],
  ];
  return (
    <dl class="detail-facts">
      {facts.map(([name, fact]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{fact}</dd>
        </div>
      ))}
    </dl>
  );
}

function TraceLink({ trade }: { trade: Trade }) {
  const w = useWords(WORDS);
  const { jaegerUrl } = useStore().page;
  const id = sampledTrace(trade.trace);
  if (id === undefined) return <>{w.unsampled}</>;
  if (jaegerUrl === undefined) return <code>{id}</code>;
  return (
    <a href={`${jaegerUrl.replace(/\/+$/, "")}/trace/${id}`} target="_blank" rel="noreferrer">
      {w.openTrace}
    </a>
  );
}

/** Line breaks for the eye; the text of numbers stays as it came. */
function pretty(raw: string): string {
  let depth = 0;
  return raw.replace(/"(?:[^"\\]|\\.)*"|[{}[\],:]/g, (token) => {
    if (token === "{" || token === "[") depth += 1;
    else if (token === "}" || token === "]") depth -= 1;
    const line = `\n${"  ".repeat(Math.max(0, depth))}`;
    if (token === "{" || token === "[" || token === ",") return token + line;
    if (token === "}" || token === "]") return line + token;
    return token === ":" ? ": " : token;
  });
}
