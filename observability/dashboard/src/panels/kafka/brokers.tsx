/** The brokers: up or down, and how far away. */

import type { BrokerState, BrokerView } from "../../status/cluster.ts";
import { useFormat } from "../../ui/live.ts";
import { useWords } from "../../ui/words.ts";
import { Sign, type Tone, Unknown } from "../parts/sign.tsx";
import { Table } from "../parts/table.tsx";
import { WORDS } from "./words.ts";

const TONES: Record<BrokerState, Tone> = { up: "ok", down: "bad", unknown: "idle" };

export function Brokers({ brokers }: { brokers: readonly BrokerView[] }) {
  const w = useWords(WORDS);
  const format = useFormat();
  return (
    <div class="panel-part">
      <h3>{w.brokers}</h3>
      <Table
        caption={w.brokers}
        heads={[
          { key: "broker", text: w.broker },
          { key: "state", text: w.state },
          { key: "address", text: w.address },
          { key: "rtt", text: w.rtt, isNumber: true, hint: w.rttHint },
          { key: "leads", text: w.leads, isNumber: true },
          { key: "connected", text: w.connected, isNumber: true },
        ]}
      >
        {brokers.map(({ id, state, address, rttMs, leads, connected, clients }) => (
          <tr key={id} data-broker={id}>
            <th scope="row">{id}</th>
            <td title={state === "unknown" ? w.unknownHint : undefined}>
              <Sign tone={TONES[state]}>{w[state]}</Sign>
            </td>
            <td>{address === "" ? <Unknown /> : address}</td>
            <td class="number">{rttMs === undefined || state !== "up" ? <Unknown /> : format.duration(rttMs)}</td>
            <td class="number">{format.whole(leads)}</td>
            <td class="number">{w.ofAll(format.whole(connected), format.whole(clients))}</td>
          </tr>
        ))}
      </Table>
    </div>
  );
}
