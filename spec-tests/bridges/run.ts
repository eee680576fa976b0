import { pythonWith, runTests } from "../support/python-package.ts";

// `npm run test:bridges`: holds the application service API to mautrix-python, a framework that bridges are made with. It is
// installed from the Python Package Index into a folder of its own; where that cannot be done the test is skipped, in words.

const python = pythonWith("bridges", {
  requirement: "mautrix[encryption]==0.21.1",
  module: "mautrix.crypto",
});
if (python !== undefined) runTests("bridges/mautrix.ts", [python], 300);
