// A website as a process of its own; what it serves and who came is told by messages. Started by website.ts.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { SitePage, WebsiteMessage } from "./website.ts";

const pages = new Map<string, SitePage>();
const tell = (message: WebsiteMessage) => process.send?.(message);

process.on("message", ([path, page]: [string, SitePage]) => {
  pages.set(path, page);
  tell({ served: path });
});
process.once("disconnect", () => process.exit());

const server = createServer((request, response) => {
  const path = request.url ?? "";
  tell({ visited: { path, headers: request.headers } });
  const {
    status = 200,
    headers = {},
    body = "",
    repeated = 1,
    isStuck = false,
  } = pages.get(path) ?? { status: 404 };
  response.writeHead(status, headers);
  for (let count = 0; count < repeated; count++) response.write(body);
  if (!isStuck) response.end();
});
server.listen(0, process.argv[2] ?? "127.0.0.1", () =>
  tell({ port: (server.address() as AddressInfo).port }),
);
