// Measures Synapse, where it can be installed, and Hearth, one after the other, and compares them:
// `npm run bench:compare [-- options of hsbench]`.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Synapse, synapsePackage } from "../../spec-tests/peers/synapse.ts";
import { pythonWith } from "../../spec-tests/support/python-package.ts";
import { testCertificate } from "../../src/outbound/testing/certificate.ts";
import { buildHarness, harnessOptions, prepareHearth, runHarness, withHearth } from "./harness.ts";

/** As it is unless it is told otherwise: the tests have cheaper passwords. */
const asDeployed = { bcrypt_rounds: 12 };

const folder = mkdtempSync(join(tmpdir(), "hearth-compare-"));
try {
  const harness = buildHarness(folder);
  if (harness !== undefined) {
    const python = pythonWith("synapse", synapsePackage);
    const reports = python === undefined ? [] : [await measureSynapse(harness, python)];
    reports.push(await measureHearth(harness));
    await runHarness(harness, ["compare", ...reports]);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** @returns the file that its report is in */
async function measureSynapse(harness: string, python: string): Promise<string> {
  const tls = testCertificate("localhost");
  const files = { keyFile: join(folder, "key.pem"), certFile: join(folder, "cert.pem") };
  writeFileSync(files.keyFile, tls.key);
  writeFileSync(files.certFile, tls.cert);
  await using synapse = await Synapse.start(python, files, { settings: asDeployed });
  return await measured(harness, "synapse", synapse.url, synapse.pid);
}

async function measureHearth(harness: string): Promise<string> {
  const server = await prepareHearth(folder);
  let report = "";
  await withHearth(server, async (pid) => {
    report = await measured(harness, "hearth", server.url, pid);
  });
  return report;
}

async function measured(harness: string, label: string, url: string, pid: number): Promise<string> {
  const report = join(folder, `${label}.json`);
  const words = ["-target", url, "-reg", "dummy", "-label", label, "-pid", String(pid), "-json", report];
  await runHarness(harness, [...words, ...harnessOptions]);
  return report;
}
