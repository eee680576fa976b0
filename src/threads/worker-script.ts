/**
 * The program of a worker thread.
 *
 * @param name the file's name without its extension: a module beside the one that starts it. In the package all modules
 *   stand in one folder, where the names of worker programs are unique.
 * @param starter the `import.meta` of the module that starts it
 */
export function workerScript(name: string, starter: ImportMeta): URL {
  // Modules run from TypeScript in development and from JavaScript in the package.
  const extension = starter.filename.endsWith(".ts") ? ".ts" : ".js";
  return new URL(`./${name}${extension}`, starter.url);
}
