/** Starts the page: one store, one connection, one tree of panels. */

import { render } from "preact";
import { LiveClient } from "../../../stages/ws-broadcast/web/client.ts";
import { App } from "./app.tsx";
import { WorkerSocket } from "./socket/socket.ts";
import { historyOf } from "./status/vitals.ts";
import { readPage } from "./store/page.ts";
import { Pulse } from "./store/pulse.ts";
import { Store } from "./store/store.ts";
import { StoreContext } from "./ui/live.ts";
import { paced } from "./ui/pace.ts";
import { apply } from "./ui/settings.ts";
import "./ui/page.css";

/** Messages of the past that a page begins with. */
const RECENT = 3_000;
/** The status servers are polled every second: a server that says nothing for so long is cut off. */
const QUIET_MS = 10_000;
/** Twice a second, so that no second is left out. */
const NOTE_MS = 500;

const now = (): number => performance.timeOrigin + performance.now();

const store = new Store(now, new Pulse(paced()));

const client = new LiveClient({
  urls: "/ws",
  recent: RECENT,
  quietAfter: QUIET_MS,
  backoff: { initial: 250, max: 4_000 },
  connect: (url, protocol) => new WorkerSocket(url, protocol),
  onMessage: (message, text, at) => store.message(message, text, at),
  onGap: (gap) => store.gap(gap),
  onState: (state, server) => store.state(state, server),
  onHello: (hello) => store.hello(hello),
  onDuplicate: () => store.duplicate(),
  onUnreadable: () => store.unreadable("notJson"),
});

const root = document.getElementById("app");
if (root === null) throw new Error("the page has no element `app`");
apply();
// The connection is made while the page is drawn for the first time.
client.start();
render(
  <StoreContext.Provider value={store}>
    <App />
  </StoreContext.Provider>,
  root,
);
setInterval(() => historyOf(store).note(store, store.now()), NOTE_MS);

// The server answers with what its pipeline file says; without it the page only lacks links.
void fetch("page.json")
  .then((answer) => answer.json())
  .then((page: unknown) => {
    store.page = readPage(page);
  })
  .catch(() => undefined);
