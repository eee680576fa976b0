/** A table of two columns, for people: a line each, the right column in one place. */
export function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}

const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];

/** A size for people, such as "1.4 GiB". */
export function sizeText(sizeBytes: number): string {
  const power = sizeBytes === 0 ? 0 : Math.min(Math.floor(Math.log2(sizeBytes) / 10), units.length - 1);
  const value = sizeBytes / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}
