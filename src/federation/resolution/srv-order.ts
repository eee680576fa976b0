import type { SrvRecord } from "node:dns";

/**
 * The order in which the hosts of SRV records are to be tried (RFC 2782): by priority, and among those of one priority at
 * random, by their weights.
 * @param random a number from 0 up to, but without, 1
 */
export function srvOrder(records: readonly SrvRecord[], random: () => number): SrvRecord[] {
  const ordered: SrvRecord[] = [];
  const priorities = [...new Set(records.map(({ priority }) => priority))].toSorted((a, b) => a - b);
  for (const priority of priorities) {
    // "All those with weight 0 are placed at the beginning of the list."
    const left = records
      .filter((record) => record.priority === priority)
      .toSorted((a, b) => Number(a.weight > 0) - Number(b.weight > 0));
    while (left.length > 0) {
      const total = left.reduce((sum, { weight }) => sum + weight, 0);
      const chosen = Math.floor(random() * (total + 1));
      let running = 0;
      const index = left.findIndex(({ weight }) => (running += weight) >= chosen);
      ordered.push(...left.splice(Math.max(0, index), 1));
    }
  }
  return ordered;
}
