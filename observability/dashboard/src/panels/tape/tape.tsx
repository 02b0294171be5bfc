/** The latest trades, newest first. */

import { useFormat, useLive } from "../../ui/live.ts";
import { Panel } from "../../ui/panel.tsx";
import { useWords, words } from "../../ui/words.ts";

const WORDS = words({ title: "Tape" }, { title: "체결" });

export function TapePanel() {
  const w = useWords(WORDS);
  const format = useFormat();
  const store = useLive(100);
  return (
    <Panel id="tape" title={w.title}>
      <ol>
        {store.trades
          .select(20, () => true)
          .map((trade) => (
            <li key={trade.sequence}>
              {format.millis(trade.hops.traded)} {trade.symbol} {format.decimal(trade.price)}{" "}
              {format.decimal(trade.size)} {trade.side}
            </li>
          ))}
      </ol>
    </Panel>
  );
}
