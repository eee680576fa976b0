import { Socket } from "node:net";

// Loaded before a server: its connections to some ports of the loopback address go to others, where a test listens that can
// cut them. DETOURS is an object from port to port.

const detours = JSON.parse(process.env["DETOURS"] ?? "{}") as Readonly<Record<string, number>>;
const connect: unknown = Reflect.get(Socket.prototype, "connect");
if (typeof connect !== "function") throw new Error("sockets cannot be connected");

function redirected(options: unknown): unknown {
  if (typeof options !== "object" || options === null || !("port" in options)) return options;
  const port = detours[String(options.port)];
  return port === undefined ? options : { ...options, port };
}

Reflect.set(Socket.prototype, "connect", function (this: Socket, ...words: unknown[]): unknown {
  const [first] = words;
  // `net.connect` calls this with an array of its own making, which is marked as such.
  if (Array.isArray(first)) first[0] = redirected(first[0]);
  else words[0] = redirected(first);
  return Reflect.apply(connect, this, words);
});
