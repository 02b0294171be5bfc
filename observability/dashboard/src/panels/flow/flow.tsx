/** The graph of stages over all machines as it runs: a picture, and the same as a table. */

import { boardOf } from "../../status/board.ts";
import { graphOf } from "../../status/graph.ts";
import { layOut } from "../../status/layout.ts";
import { useLive } from "../../ui/live.ts";
import { Panel } from "../../ui/panel.tsx";
import { useWords } from "../../ui/words.ts";
import { Picture } from "./picture.tsx";
import { StageTable } from "./stages.tsx";
import { WORDS } from "./words.ts";
import "./flow.css";

const EVERY_MS = 1000;
/** Where only a part of the picture is in sight at a time, the table is open from the start. */
const isNarrow = globalThis.matchMedia?.("(max-width: 40rem)").matches ?? false;

export function FlowPanel() {
  const w = useWords(WORDS);
  const graph = graphOf(boardOf(useLive(EVERY_MS)));
  return (
    <Panel id="flow" title={w.title}>
      {graph.nodes.length === 0 ? (
        <p class="muted">{w.nothing}</p>
      ) : (
        <>
          <Picture layout={layOut(graph)} links={graph.links} />
          <p class="panel-note">{w.legend}</p>
          <details class="panel-part" open={isNarrow}>
            <summary>{w.table}</summary>
            <StageTable graph={graph} />
          </details>
        </>
      )}
    </Panel>
  );
}
