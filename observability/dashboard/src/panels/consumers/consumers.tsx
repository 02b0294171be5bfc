/** The members of the group: who reads what, how the load is shared, and what happened to them. */

import { boardOf } from "../../status/board.ts";
import { membersOf } from "../../status/members.ts";
import { useFormat, useLive } from "../../ui/live.ts";
import { Panel } from "../../ui/panel.tsx";
import { useWords } from "../../ui/words.ts";
import { Events } from "./events.tsx";
import { Matrix } from "./matrix.tsx";
import { ShareBars } from "./shares.tsx";
import { WORDS } from "./words.ts";
import "./consumers.css";

const EVERY_MS = 1000;

export function ConsumersPanel() {
  const w = useWords(WORDS);
  const format = useFormat();
  const board = boardOf(useLive(EVERY_MS));
  const all = membersOf(board);
  const vms = [...new Set(all.members.map((member) => member.host))];
  const odd = new Map(
    all.members.flatMap(({ host, seat }) => (seat.clock.aheadMs === 0 ? [] : [[host, seat.clock.aheadMs]])),
  );
  return (
    <Panel id="consumers" title={w.title}>
      {all.members.length === 0 ? (
        <p class="muted">{w.nothing}</p>
      ) : (
        <>
          <Matrix all={all} timeline={board.timeline} now={board.now} />
          {[...odd].map(([host, aheadMs]) => (
            <p class="panel-note" key={host}>
              {w.clock(host, format.duration(Math.abs(aheadMs)))}
            </p>
          ))}
          <div class="consumers-below">
            <ShareBars vms={vms} slots={board.shares.last(board.now)} />
            <Events events={board.timeline.events} />
          </div>
        </>
      )}
    </Panel>
  );
}
