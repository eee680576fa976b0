// Loaded before everything else when Hearth runs from its source: compiled code is kept between starts, so that a start
// neither takes the time nor the memory to strip types again. JavaScript, because stripping this very file would.
import { enableCompileCache } from "node:module";
import { join } from "node:path";

const { directory } = enableCompileCache(join(import.meta.dirname, "../node_modules/.cache/hearth"));
// Worker threads find the cache by this variable.
if (directory !== undefined) process.env.NODE_COMPILE_CACHE = directory;
