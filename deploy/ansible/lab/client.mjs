// A client as browsers have it, connected to the consumer VMs while a test breaks something: client.mjs URL…
//
// Standard input tells when to look: each line is a JSON object of ends ({"0": 1200, …}, the offset behind the last one of each
// partition). Answers when all of them were seen, with what was seen; `wrong` lists offsets that came twice, holes and gaps.
import { createInterface } from "node:readline";

import { LiveClient } from "../../../stages/ws-broadcast/web/site/client.js";

const PATIENCE = 120_000;
const partitions = new Map();
const wrong = [];
const servers = [];
let count = 0;

function take({ topic, partition, offset }) {
  if (topic !== "stock_trade") return;
  count += 1;
  let seen = partitions.get(partition);
  if (seen === undefined) partitions.set(partition, (seen = { first: offset, offsets: new Set() }));
  seen.first = Math.min(seen.first, offset);
  if (seen.offsets.has(offset)) wrong.push(`${partition}:${offset} twice`);
  seen.offsets.add(offset);
}

/** What is missing from the first one on, up to these ends. */
function missing(ends) {
  const holes = [];
  for (const [partition, end] of Object.entries(ends)) {
    const seen = partitions.get(Number(partition));
    for (let offset = seen?.first ?? 0; offset < end; offset += 1) {
      if (!seen?.offsets.has(offset)) holes.push(`${partition}:${offset}`);
    }
  }
  return holes;
}

const client = new LiveClient({
  urls: process.argv.slice(2),
  recent: 10,
  quietAfter: 3000,
  onMessage: take,
  onGap: (gap) => wrong.push(`gap ${JSON.stringify(gap)}`),
  onUnreadable: (text) => wrong.push(`unreadable ${text.slice(0, 200)}`),
  onState: (state, server) => state === "live" && servers.push(new URL(server).hostname),
});
client.start();

for await (const line of createInterface({ input: process.stdin })) {
  const ends = JSON.parse(line);
  const until = Date.now() + PATIENCE;
  while (missing(ends).length > 0 && Date.now() < until) await new Promise((done) => setTimeout(done, 200));
  const holes = missing(ends);
  const found = [...wrong, ...holes.slice(0, 20).map((hole) => `${hole} missing`)];
  console.log(JSON.stringify({ count, servers: servers.splice(0), holes: holes.length, wrong: found }));
  wrong.length = 0;
}
client.stop();
