import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t, { type Test } from "tap";
import { testCertificate } from "../../src/outbound/testing/certificate.ts";
import { testEncryption } from "./encryption.ts";
import { testEphemeral } from "./ephemeral.ts";
import { Hearth } from "./hearth.ts";
import { testHistory } from "./history.ts";
import { testMedia } from "./media.ts";
import { testMemberships } from "./memberships.ts";
import { testOutages } from "./outages.ts";
import type { Peers } from "./peer.ts";
import { testRooms } from "./rooms.ts";
import { testVersions } from "./versions.ts";
import { Synapse } from "./synapse.ts";

// What `run.ts` starts: the first argument is the Python that has Synapse, the others are suites.

const suites: Readonly<Record<string, (t: Test, peers: Peers) => void>> = {
  versions: testVersions,
  memberships: testMemberships,
  rooms: testRooms,
  history: testHistory,
  outages: testOutages,
  ephemeral: testEphemeral,
  encryption: testEncryption,
  media: testMedia,
};

const [, , python = "python3", ...asked] = process.argv;
const logsFolder = process.env["KEEP_LOGS"];

async function startPeers(): Promise<{ hearth: Hearth; synapse: Synapse }> {
  const folder = t.testdir();
  const { key, cert } = testCertificate("127.0.0.1", "localhost");
  const files = { keyFile: join(folder, "key.pem"), certFile: join(folder, "cert.pem") };
  await writeFile(files.keyFile, key);
  await writeFile(files.certFile, cert);
  const [hearth, synapse] = await Promise.all([Hearth.start(files), Synapse.start(python, files)]);
  return { hearth, synapse };
}

t.setTimeout(900_000);
const { hearth, synapse } = await startPeers();
t.teardown(async () => {
  if (logsFolder !== undefined) {
    await mkdir(logsFolder, { recursive: true });
    await cp(synapse.logFile, join(logsFolder, "synapse.log"));
    await writeFile(join(logsFolder, "hearth.log"), hearth.outputTail);
  }
  await Promise.all([hearth[Symbol.asyncDispose](), synapse[Symbol.asyncDispose]()]);
});
for (const name of asked.length > 0 ? asked : Object.keys(suites)) {
  const suite = suites[name];
  if (!suite) throw new Error(`There is no ${name}, only ${Object.keys(suites).join(", ")}.`);
  t.test(name, (t) => {
    t.setTimeout(600_000);
    suite(t, { hearth, synapse });
    t.end();
  });
}
