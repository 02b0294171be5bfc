/** The WebSocket servers: who is connected, how far behind, and who left why. */

import { boardOf } from "../../status/board.ts";
import { type ServerView, serversOf } from "../../status/clients.ts";
import { useFormat, useLive } from "../../ui/live.ts";
import { Panel } from "../../ui/panel.tsx";
import { useWords } from "../../ui/words.ts";
import { Sign, Unknown } from "../parts/sign.tsx";
import { Table } from "../parts/table.tsx";
import { WORDS } from "./words.ts";

const EVERY_MS = 1000;

export function ClientsPanel() {
  const w = useWords(WORDS);
  const servers = serversOf(boardOf(useLive(EVERY_MS)));
  return (
    <Panel id="clients" title={w.title}>
      {servers.length === 0 ? (
        <p class="muted">{w.nothing}</p>
      ) : (
        <Table
          caption={w.caption}
          heads={[
            { key: "server", text: w.server },
            { key: "state", text: w.state },
            { key: "browsers", text: w.browsers, isNumber: true, hint: w.browsersHint },
            { key: "relays", text: w.relays, isNumber: true, hint: w.relaysHint },
            { key: "slowest", text: w.slowest },
            { key: "skipped", text: w.skipped, isNumber: true, hint: w.skippedHint },
            { key: "disconnects", text: w.disconnects },
            { key: "rate", text: w.rate, isNumber: true },
            { key: "ring", text: w.ring, isNumber: true },
          ]}
        >
          {servers.map((server) => (
            <Row key={server.seat.url} server={server} />
          ))}
        </Table>
      )}
    </Panel>
  );
}

function Row({ server }: { server: ServerView }) {
  const w = useWords(WORDS);
  const format = useFormat();
  const { seat, document, isAnswering, relays, browsers, rate } = server;
  const reasons = seat.copy?.reasons ?? [];
  const state = !isAnswering ? "silent" : reasons.length > 0 ? "degraded" : "ready";
  const tone = { silent: "bad", degraded: "warn", ready: "ok" } as const;
  return (
    <tr data-server={document.name}>
      <th scope="row">{document.name}</th>
      <td title={seat.trouble?.detail ?? reasons[0]}>
        <Sign tone={tone[state]}>{w[state]}</Sign>
      </td>
      <td class="number">
        {isAnswering ? format.whole(browsers) : <Unknown />}
        {isAnswering && document.plain > 0 && <span class="muted"> · {w.plain(format.whole(document.plain))}</span>}
      </td>
      <td class="number">{isAnswering ? format.whole(relays) : <Unknown />}</td>
      <td>{isAnswering ? <Slowest server={server} /> : <Unknown />}</td>
      <td class="number">
        <span class={document.skipped > 0 ? "warn-text" : ""}>{format.whole(document.skipped)}</span>
      </td>
      <td>
        <Disconnects server={server} />
      </td>
      <td class="number">{rate === undefined || !isAnswering ? <Unknown /> : format.rate(rate)}</td>
      <td class="number">{w.inRing(format.whole(document.ringMessages), format.bytes(document.ringBytes))}</td>
    </tr>
  );
}

function Slowest({ server: { document } }: { server: ServerView }) {
  const w = useWords(WORDS);
  const format = useFormat();
  const { slowestMessages, slowestBytes, medianMessages } = document;
  if (slowestMessages === 0) return <span class="muted">{w.upToDate}</span>;
  return (
    <span>
      {w.waiting(format.whole(slowestMessages), format.bytes(slowestBytes))}
      {medianMessages !== undefined && <span class="muted"> · {w.median(format.whole(medianMessages))}</span>}
    </span>
  );
}

/** How many left, by reason; those that the server sent away stand out. */
function Disconnects({ server: { document } }: { server: ServerView }) {
  const w = useWords(WORDS);
  const format = useFormat();
  const names = new Map([
    ["closed", w.closed],
    ["broken", w.broken],
    ["protocol", w.protocol],
    ["silent", w.mute],
    ["slow", w.slow],
    ["drained", w.drained],
  ]);
  const counts = new Map(document.left);
  if (document.sentAway > 0) counts.set("slow", document.sentAway);
  const told = [...counts].filter(([, count]) => count > 0);
  if (told.length === 0) return <span>0</span>;
  return (
    <>
      {told.map(([reason, count], index) => (
        <span key={reason} class={reason === "slow" || reason === "silent" ? "warn-text" : ""}>
          {index > 0 && " · "}
          {w.reason(names.get(reason) ?? reason, format.whole(count))}
        </span>
      ))}
    </>
  );
}
