import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t, { type Test } from "tap";
import { testCertificate } from "../../src/outbound/testing/certificate.ts";
import { MailServer } from "../support/mail-server.ts";
import { Sydent, sydentPython } from "../support/sydent.ts";
import { testEncryption } from "./encryption.ts";
import { testEphemeral } from "./ephemeral.ts";
import { Hearth } from "./hearth.ts";
import { testHistory } from "./history.ts";
import { testMedia } from "./media.ts";
import { testMemberships } from "./memberships.ts";
import { testOutages } from "./outages.ts";
import type { IdentityService, Peers } from "./peer.ts";
import { testRooms } from "./rooms.ts";
import { Synapse } from "./synapse.ts";
import { testThirdPartyInvites } from "./third-party-invites.ts";
import { testVersions } from "./versions.ts";

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
  thirdPartyInvites: testThirdPartyInvites,
};

const [, , python = "python3", ...asked] = process.argv;
const logsFolder = process.env["KEEP_LOGS"];

/** The identity server of both peers, where there is one to start. */
async function startIdentity(peersCertFile: string): Promise<IdentityService | undefined> {
  if (sydentPython === undefined) return undefined;
  const mails = await MailServer.start();
  t.teardown(() => mails[Symbol.asyncDispose]());
  const sydent = await Sydent.start(sydentPython, mails, peersCertFile);
  t.teardown(() => sydent[Symbol.asyncDispose]());
  return { sydent, mails };
}

async function startPeers(): Promise<{ hearth: Hearth; synapse: Synapse; identity?: IdentityService }> {
  const folder = t.testdir();
  const { key, cert } = testCertificate("127.0.0.1", "localhost");
  const files = { keyFile: join(folder, "key.pem"), certFile: join(folder, "cert.pem") };
  await writeFile(files.keyFile, key);
  await writeFile(files.certFile, cert);
  const identity = await startIdentity(files.certFile);
  const [hearth, synapse] = await Promise.all([
    Hearth.start(files, identity && { identity_servers: identity.sydent.settings }),
    Synapse.start(python, files, { trustedFile: identity?.sydent.certificateFile }),
  ]);
  return { hearth, synapse, ...(identity && { identity }) };
}

t.setTimeout(900_000);
const peers = await startPeers();
const { hearth, synapse } = peers;
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
    suite(t, peers);
    t.end();
  });
}
