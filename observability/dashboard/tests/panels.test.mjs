// The panels of consumers, Kafka, flow and clients show what the system knows by other means.

import { request } from "node:http";
import { test } from "node:test";
import { shoot } from "./browser.mjs";
import { eventually, startAll } from "./system.mjs";

const VMS = [1, 2, 3];

const { system, page } = await startAll();

const host = (vm) => new URL(system.sockets[vm - 1]).hostname;

/** Who owns what, as the members' own status says. */
async function ownersByStatus(vms) {
  const owners = {};
  for (const vm of vms) {
    const members = await system.tell(`partitions ${vm}`);
    for (const [instance, partitions] of members.entries()) {
      for (const partition of partitions) owners[partition] = `${host(vm)}:${8081 + instance}`;
    }
  }
  return owners;
}

/** Who owns what, as the page shows it. */
const ownersByPage = () =>
  page
    .locator("[data-owned]")
    .evaluateAll((cells) =>
      Object.fromEntries(cells.map((cell) => [cell.dataset.owned, cell.closest("tr").dataset.consumer])),
    );

const cells = (row) => page.locator(`${row} > *`).allTextContents();
const count = (text) => Number(text.replaceAll(",", ""));

/** A plain client of a WebSocket server, which reads whatever comes. */
function connect(url) {
  const headers = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": Buffer.alloc(16, 1).toString("base64"),
  };
  return new Promise((resolve, reject) => {
    const asked = request(url.replace("ws:", "http:"), { headers });
    asked.on("upgrade", (_answer, socket) => resolve(socket.resume()));
    asked.on("response", (answer) => reject(new Error(`refused with ${answer.statusCode}`)));
    asked.on("error", reject);
    asked.end();
  });
}

/** The same owners by both, of every partition. */
function agreed(vms) {
  return eventually("the same owners on the page and by the members' status", async () => {
    const [told, shown] = [await ownersByStatus(vms), await ownersByPage()];
    const isSame = Object.keys(told).length === 3 && [0, 1, 2].every((one) => told[one] === shown[one]);
    return isSame ? shown : Promise.reject(new Error(`${JSON.stringify(told)} and ${JSON.stringify(shown)}`));
  });
}

/** The page's number lies between what the brokers said before and after it was read. */
function within(what, column, command) {
  return eventually(what, async () => {
    const earlier = await system.tell(command);
    const shown = [];
    for (const partition of [0, 1, 2]) shown.push(count((await cells(`[data-partition="${partition}"]`))[column]));
    const later = await system.tell(command);
    // The page is a poll and a document behind: a few seconds of some fifteen trades.
    const isRight = shown.every((one, index) => one >= earlier[index] - 100 && one <= later[index]);
    return isRight || Promise.reject(new Error(`${earlier}, shown ${shown}, ${later}`));
  });
}

test("the consumers' panel shows who owns what, and idle members as idle", async () => {
  await agreed(VMS);
  await eventually("nine members, of which six are idle", async () => {
    const states = await page.locator("[data-consumer]").evaluateAll((rows) => rows.map((row) => row.dataset.state));
    const idle = states.filter((state) => state === "idle");
    return (states.length === 9 && idle.length === 6) || Promise.reject(new Error(String(states)));
  });
});

test("Kafka's panel shows the brokers, the partitions' offsets and the group", async () => {
  await eventually("three brokers that are up", async () => {
    const states = await page.locator("[data-broker] .sign").allTextContents();
    return states.length === 3 && states.every((state) => state.includes("up"));
  });
  await eventually("every partition in sync on three brokers", async () => {
    const texts = await page.locator("[data-partition]").allTextContents();
    return texts.length === 3 && texts.every((text) => text.includes("in sync"));
  });
  await within("the end of each partition", 6, "ends");
  await within("the committed offset of each partition", 7, "committed");
  await eventually("the group with nine members", async () => {
    const facts = await page.locator("#kafka .facts").textContent();
    return facts.includes(system.group) && facts.includes("Stable") && facts.includes("9 by its coordinator");
  });
});

test("the flow shows the stages of all machines, and the rate of what goes through them", async () => {
  await eventually("the stages of three VMs and the producer", async () => {
    const stages = await page.locator("[data-stage]").evaluateAll((all) => all.map((one) => one.dataset.stage));
    const wanted = VMS.flatMap((vm) => [`${host(vm)}/consumer/http-post`, `${host(vm)}/websocket-server/ws-broadcast`]);
    return wanted.every((one) => stages.includes(one)) && stages.some((one) => one.endsWith("/producer/kafka-sink"));
  });
  await eventually("about fifty trades a second into Kafka", async () => {
    const row = await page.locator('[data-node$="/producer/kafka-sink"] > td').nth(2).textContent();
    const rate = Number(/([\d.]+)\/s/.exec(row)?.[1]);
    return (rate > 25 && rate < 100) || Promise.reject(new Error(row));
  });
});

test("the clients' panel counts browsers as they come and go", async () => {
  const server = new URL(system.sockets[0]).host;
  const browsers = async () => Number.parseInt((await cells(`[data-server="${server}"]`))[2], 10);
  const before = await eventually("the server's row", async () => ({ count: await browsers() }));
  const guests = await Promise.all([1, 2, 3].map(() => connect(system.sockets[0])));
  await eventually("three more", async () => (await browsers()) === before.count + 3);
  for (const guest of guests) guest.destroy();
  await eventually("none more", async () => (await browsers()) === before.count);
});

test("a broker that is killed is down, and its partitions are under-replicated until it is back", async () => {
  await system.tell("kill-broker 2");
  const state = async () => (await cells('[data-broker="2"]'))[1];
  const texts = () => page.locator("[data-partition]").allTextContents();
  await eventually("the broker as down", async () => (await state()).includes("down"));
  await eventually("under-replicated partitions that name the broker", async () =>
    (await texts()).every((text) => text.includes("under-replicated") && text.includes("missing 2")),
  );
  await shoot(page, "panels-broker-lost");
  await system.tell("start-broker 2");
  await eventually("the broker as up", async () => (await state()).includes("up"));
  await eventually("partitions in sync", async () => (await texts()).every((text) => text.includes("in sync")));
});

test("a consumer VM that is killed gives its partitions to others, which the timeline tells", async () => {
  const [victim] = Object.entries(await agreed(VMS)).map(([partition, owner]) => ({ partition, owner }));
  const vm = VMS.find((one) => victim.owner.startsWith(`${host(one)}:`));
  await system.tell(`kill vm${vm}`);
  await eventually("three consumers without a status", async () => {
    const rows = page.locator('[data-consumer][data-state="silent"]');
    return (await rows.count()) === 3 && (await rows.first().textContent()).includes("no status");
  });
  await agreed(VMS.filter((one) => one !== vm));
  await eventually("the move, and how long the partition was unread", async () => {
    const moves = await page.locator('[data-event="moved"]').allTextContents();
    return moves.some((text) => text.includes(`partition ${victim.partition} moved`) && text.includes("unread for"));
  });
  await shoot(page, "panels-vm-lost");
  await system.tell(`start vm${vm}`);
  await eventually("nobody without a status", async () => {
    return (await page.locator('[data-consumer][data-state="silent"]').count()) === 0;
  });
  await agreed(VMS);
});
