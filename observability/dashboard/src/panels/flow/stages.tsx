/** The stages as a table: what the picture shows, in words and numbers. */

import { BROWSERS, type Graph, type Node, type NodeHealth } from "../../status/graph.ts";
import { useFormat } from "../../ui/live.ts";
import { useWords } from "../../ui/words.ts";
import { Sign, type Tone, Unknown } from "../parts/sign.tsx";
import { Table } from "../parts/table.tsx";
import { WORDS } from "./words.ts";

const TONES: Record<NodeHealth, Tone> = { ready: "ok", degraded: "warn", failed: "bad", silent: "bad" };

export function StageTable({ graph }: { graph: Graph }) {
  const w = useWords(WORDS);
  const stages = graph.nodes.filter((node) => node.flow !== "");
  return (
    <Table
      caption={w.table}
      heads={[
        { key: "stage", text: w.stage },
        { key: "machine", text: w.machine },
        { key: "state", text: w.state },
        { key: "gives", text: w.gives },
        { key: "queue", text: w.queue, isNumber: true, hint: w.fillHint },
        { key: "rejected", text: w.rejected, isNumber: true },
        { key: "redelivered", text: w.redelivered, isNumber: true },
        { key: "restarts", text: w.restarts, isNumber: true },
      ]}
    >
      {stages.map((node) => (
        <Row key={node.id} node={node} graph={graph} />
      ))}
    </Table>
  );
}

function Row({ node, graph }: { node: Node; graph: Graph }) {
  const w = useWords(WORDS);
  const format = useFormat();
  const names = new Map(
    graph.nodes.map(({ id, name, machine }) => [id, machine === node.machine ? name : full(id, name)]),
  );
  const gives = graph.links.filter((link) => link.from === node.id);
  return (
    <tr data-node={node.id}>
      <th scope="row">
        {node.name}
        {node.copies > 1 && <span class="muted"> {w.copies(format.whole(node.copies))}</span>}
      </th>
      <td>{node.machine}</td>
      <td title={node.reasons.join("\n")}>
        <Sign tone={TONES[node.health]}>{w.health(node.health)}</Sign>
      </td>
      <td>
        {gives.map(({ to, medium, rate }) => (
          <div key={to}>
            {names.get(to)}
            <span class="muted">
              {" "}
              {medium !== "memory" && w.medium(medium)} {rate !== undefined && w.perSecond(format.rate(rate))}
            </span>
          </div>
        ))}
      </td>
      <td class="number">
        {node.fill === undefined ? (
          <Unknown />
        ) : (
          w.queued(format.whole(node.queued), `${format.whole(node.fill * 100)} %`)
        )}
      </td>
      {[node.rejected, node.redelivered, node.restarts].map((count, index) => (
        <td key={index} class={`number${count > 0 ? " warn-text" : ""}`}>
          {format.whole(count)}
        </td>
      ))}
    </tr>
  );

  function full(id: string, name: string): string {
    if (id === BROWSERS) return w.browsers;
    return id.startsWith("kafka/")
      ? name
      : id
          .split("/")
          .filter((_, index) => index !== 1)
          .join(" ");
  }
}
