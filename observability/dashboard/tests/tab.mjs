// A tab that nobody listens to: Playwright hears of every frame of a page's WebSocket, which costs the page as much as the frame.

/** Opens a page in a window of its own; what it returns sends a command of the DevTools protocol and gives the answer. */
export async function openTab(browser, url) {
  const session = await browser.newBrowserCDPSession();
  const { browserContextId } = await session.send("Target.createBrowserContext");
  const { targetId } = await session.send("Target.createTarget", { url, browserContextId, width: 1440, height: 900 });
  const { sessionId } = await session.send("Target.attachToTarget", { targetId });
  const waiting = new Map();
  session.on("Target.receivedMessageFromTarget", ({ message }) => {
    const { id, result, error } = JSON.parse(message);
    waiting.get(id)?.({ result, error });
    waiting.delete(id);
  });
  let last = 0;
  const send = async (method, params = {}) => {
    const id = ++last;
    const answered = new Promise((resolve) => waiting.set(id, resolve));
    await session.send("Target.sendMessageToTarget", { sessionId, message: JSON.stringify({ id, method, params }) });
    const { result, error } = await answered;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  };
  return {
    send,
    /** What an expression is on the page. */
    async evaluate(expression) {
      const { result, exceptionDetails } = await send("Runtime.evaluate", { expression, returnByValue: true });
      if (exceptionDetails !== undefined) throw new Error(`${expression}: ${exceptionDetails.text}`);
      return result.value;
    },
  };
}
