import { freePort } from "./free-port.ts";
import { startServer, type TestServer } from "./server.ts";

/** Starts a server that browsers reach by the address that it gives out, as signing in needs it. */
export async function startBrowserServer(
  overrides: (baseUrl: string) => Record<string, unknown> | Promise<Record<string, unknown>> = () => ({}),
): Promise<TestServer> {
  const port = await freePort();
  const baseUrl = `http://127.0.0.1:${port}`;
  return startServer({
    public_base_url: baseUrl,
    listeners: [{ bind: "127.0.0.1", port, apis: ["client", "federation", "admin"] }],
    ...(await overrides(baseUrl)),
  });
}
