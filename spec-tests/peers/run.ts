import { pythonWith, runTests } from "../support/python-package.ts";
import { synapsePackage } from "./synapse.ts";

// `npm run test:peers`: this server and a real Synapse, over TLS, and Sydent as the identity server of both. They are
// installed from the Python Package Index into folders of their own; what cannot be installed is not tested, which is said.
// Some of the suites: `npm run test:peers -- rooms history`. KEEP_LOGS names a folder that their logs go to.

const sydent = { requirement: "matrix-sydent[prometheus]==2.6.1", module: "sydent.sydent" };

const python = pythonWith("synapse", synapsePackage);
if (python !== undefined) {
  const sydentPython = process.env["SYDENT_PYTHON"] ?? pythonWith("sydent", sydent);
  const words = [python, ...process.argv.slice(2)];
  runTests("peers/suites.ts", words, 900, { ...(sydentPython && { SYDENT_PYTHON: sydentPython }) });
}
