import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { exampleConfig } from "../src/config/example.ts";

writeFileSync(join(import.meta.dirname, "../config.example.yaml"), exampleConfig());
