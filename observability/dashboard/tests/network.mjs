// A network between a page and its server that can be cut: neither side hears of it, as with a pulled cable.

import { connect, createServer } from "node:net";

/** Carries connections to the server of this URL; `url` is where the page finds it. */
export async function startNetwork(target) {
  const { hostname, port } = new URL(target);
  const ends = new Set();
  let isCut = false;
  const server = createServer((near) => {
    const far = connect({ host: hostname, port: Number(port) });
    carry(near, far);
    carry(far, near);
  });

  function carry(from, to) {
    ends.add(from);
    from.on("data", (bytes) => to.write(bytes));
    from.on("error", () => {});
    from.on("close", () => {
      ends.delete(from);
      to.destroy();
    });
    if (isCut) from.pause();
  }

  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    cut() {
      isCut = true;
      for (const end of ends) end.pause();
    },
    mend() {
      isCut = false;
      for (const end of ends) end.resume();
    },
    stop() {
      for (const end of ends) end.destroy();
      server.close();
    },
  };
}
