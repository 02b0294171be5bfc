// What the page costs at 2,000 trades a second: tasks of the main thread, heap, processor time. Prints, and fails when a
// bound is broken.

import { readFileSync } from "node:fs";
import { number, open, startBrowser } from "./browser.mjs";
import { eventually, startSystem } from "./system.mjs";

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
  await eventually("a page that is served", async () => (await fetch(system.page)).ok);
  const { page } = await open(browser, system.page, { isRecorded: false });
  await eventually("the rate", async () => (await number(page, "rate")) > RATE * 0.9);
  await page.waitForTimeout(WARM_UP_MS);
  await page.evaluate(() => {
    window.tasks = [];
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) window.tasks.push(duration);
    }).observe({ type: "longtask" });
  });
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const before = await measure(session);
  const trades = await number(page, "trades");
  await page.waitForTimeout(MINUTES * 60_000);
  const after = await measure(session);
  const seconds = (after.at - before.at) / 1000;
  const figures = {
    minutes: MINUTES,
    tradesPerSecond: Math.round(((await number(page, "trades")) - trades) / seconds),
    longTasks: (await page.evaluate(() => window.tasks)).length,
    longestTaskMs: Math.max(0, ...(await page.evaluate(() => window.tasks))),
    heapMiB: round(after.heap / 1048576),
    heapGrowthMiB: round((after.heap - before.heap) / 1048576),
    mainThreadShare: round((after.busy - before.busy) / seconds),
    rendererCores: round((after.cpu - before.cpu) / seconds),
    missing: await number(page, "missing"),
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

async function measure(session) {
  await session.send("HeapProfiler.collectGarbage");
  const { metrics } = await session.send("Performance.getMetrics");
  const of = (name) => metrics.find((metric) => metric.name === name)?.value ?? 0;
  return { at: performance.now(), heap: of("JSHeapUsedSize"), busy: of("TaskDuration"), cpu: await rendererSeconds() };
}

/** Processor time of the tab's process, of all its threads. */
async function rendererSeconds() {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  const renderers = processInfo.filter(({ type }) => type === "renderer");
  const ticks = renderers.map(({ id }) => {
    const fields = readFileSync(`/proc/${id}/stat`, "utf8").split(") ")[1].split(" ");
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, one) => sum + one, 0) / 100;
}

function round(value) {
  return Math.round(value * 100) / 100;
}
