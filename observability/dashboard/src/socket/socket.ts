/** A connection whose WebSocket is held by another thread (worker.ts), for `LiveClient`. */

import type { Socket } from "../../../../stages/ws-broadcast/web/client.ts";
import type { FromWorker, Open, ToWorker } from "./messages.ts";

/** One for the page: it is there also when the server that it came from is not. */
let worker: Worker | undefined;

function thread(): Worker {
  if (worker !== undefined) return worker;
  const made = new Worker("socket.js", { type: "module" });
  // It could not be loaded. The client gives up a connection that does not greet, or is quiet; the next one tries again.
  made.onerror = () => {
    made.terminate();
    if (worker === made) worker = undefined;
  };
  worker = made;
  return made;
}

export class WorkerSocket implements Socket {
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  readonly #port: MessagePort;

  constructor(url: string, protocol: string) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#hear(data);
    const open: Open = { url, protocol };
    thread().postMessage(open, [port2]);
  }

  close(code = 1000): void {
    this.#tell({ close: code });
  }

  #hear(message: FromWorker): void {
    if ("closed" in message) {
      this.onclose?.(message.closed);
      this.#port.close();
      return;
    }
    for (const { data, at } of message.batch) this.onmessage?.({ data, timeStamp: at - performance.timeOrigin });
    this.#tell("taken");
  }

  #tell(message: ToWorker): void {
    this.#port.postMessage(message);
  }
}
