// A cable between the browser and the service that a test can cut and mend: a TCP relay on loopback.
import { connect, createServer } from "node:net";
import { once } from "node:events";

export async function layCable(base) {
  const { hostname, port } = new URL(base);
  const sockets = new Set();
  const relay = createServer((near) => {
    const far = connect(Number(port || 80), hostname);
    for (const [socket, other] of [[near, far], [far, near]]) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  const listen = async (at) => {
    relay.listen(at, "127.0.0.1");
    await once(relay, "listening");
    return relay.address().port;
  };
  const own = await listen(0);
  const cut = async () => {
    const closed = once(relay, "close");
    relay.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { url: `http://127.0.0.1:${own}/`, cut, mend: () => listen(own) };
}
