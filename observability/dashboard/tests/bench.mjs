// What the page costs at 2,000 trades a second: tasks of the main thread, heap, processor time. Prints, and fails when a
// bound is broken.
//
// The browser comes before what else runs here: brokers and VMs are on other machines in life.

import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { numberIn, placeOf, startBrowser } from "./browser.mjs";
import { eventually, startSystem } from "./system.mjs";
import { openTab } from "./tab.mjs";

const RATE = Number(process.env.BENCH_RATE ?? 2000);
const MINUTES = Number(process.env.BENCH_MINUTES ?? 10);
/** Loading, the first thousands of trades, the machine code of what is called often. */
const WARM_UP_MS = 30_000;

const LONGEST_TASK_MS = 50;
const MOST_HEAP_GROWTH = 20 * 1024 * 1024;
const MOST_CORES = 0.5;

const system = await startSystem({ rate: RATE, profile: "release" });
const browser = await startBrowser();
try {
  await favour();
  await eventually("a page that is served", async () => (await fetch(system.page)).ok);
  const tab = await openTab(browser, system.page);
  /** What stands in the health strip, as a number. */
  const number = async (name) =>
    numberIn(await tab.evaluate(`document.querySelector('${placeOf(name)}')?.textContent`));
  await eventually("the rate", async () => (await number("rate")) > RATE * 0.9);
  await sleep(WARM_UP_MS);
  await tab.send("Performance.enable");
  const before = await measure(tab);
  // Collecting garbage for a measurement is a long task as well.
  await tab.evaluate(`
    globalThis.tasks = [];
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) globalThis.tasks.push(duration);
    }).observe({ type: "longtask" });
  `);
  const trades = await number("trades");
  await sleep(MINUTES * 60_000);
  const tasks = await tab.evaluate("globalThis.tasks");
  const after = await measure(tab);
  const seconds = (after.at - before.at) / 1000;
  const figures = {
    minutes: MINUTES,
    tradesPerSecond: Math.round(((await number("trades")) - trades) / seconds),
    longTasks: tasks.length,
    longestTaskMs: Math.max(0, ...tasks),
    heapMiB: round(after.heap / 1048576),
    heapGrowthMiB: round((after.heap - before.heap) / 1048576),
    mainThreadShare: round((after.busy - before.busy) / seconds),
    rendererCores: round((after.cpu - before.cpu) / seconds),
    missing: await number("missing"),
  };
  console.log(JSON.stringify(figures, null, 2));
  const isWell =
    figures.longestTaskMs <= LONGEST_TASK_MS &&
    after.heap - before.heap < MOST_HEAP_GROWTH &&
    figures.rendererCores < MOST_CORES;
  process.exitCode = isWell ? 0 : 1;
} finally {
  await browser.close();
  await system.stop();
}

async function measure(tab) {
  await tab.send("HeapProfiler.collectGarbage");
  const { metrics } = await tab.send("Performance.getMetrics");
  const of = (name) => metrics.find((metric) => metric.name === name)?.value ?? 0;
  return { at: performance.now(), heap: of("JSHeapUsedSize"), busy: of("TaskDuration"), cpu: await rendererSeconds() };
}

async function processes() {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  return processInfo;
}

/** Processor time of the tab's process, of all its threads. */
async function rendererSeconds() {
  const renderers = (await processes()).filter(({ type }) => type === "renderer");
  const ticks = renderers.map(({ id }) => {
    const fields = readFileSync(`/proc/${id}/stat`, "utf8").split(") ")[1].split(" ");
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, one) => sum + one, 0) / 100;
}

/** Lets the browser run before all else, as far as one may: Linux shares its processors by session (`sched(7)`, autogroup). */
async function favour() {
  const [{ id }] = await processes();
  try {
    writeFileSync(`/proc/${id}/autogroup`, "-20");
  } catch (error) {
    console.log(`the browser shares the processors with all that runs here: ${error.message}`);
  }
}

function round(value) {
  return Math.round(value * 100) / 100;
}
