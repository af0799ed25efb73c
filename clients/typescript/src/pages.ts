import type { Changes } from "./schemas.js";

type Tombstone = Changes["deleted"][number];

/** Join pages of the delta; of a record that is in several, the last one counts. */
export function joined(pages: readonly Changes[]): Changes {
  const last = pages.at(-1)!;
  if (pages.length === 1) return last;
  const [tasks, deleted] = latest(pages.map((page) => [page.tasks, page.deleted]));
  const [lists, deleted_lists] = latest(pages.map((page) => [page.lists, page.deleted_lists]));
  return { tasks, deleted, lists, deleted_lists, next: last.next, has_more: false };
}

function latest<T extends { id: string }>(pages: readonly [T[], Tombstone[]][]): [T[], Tombstone[]] {
  const found = new Map<string, T>();
  const missing = new Map<string, Tombstone>();
  for (const [records, tombstones] of pages) {
    for (const record of records) {
      found.set(record.id, record);
      missing.delete(record.id);
    }
    for (const tombstone of tombstones) {
      missing.set(tombstone.id, tombstone);
      found.delete(tombstone.id);
    }
  }
  return [[...found.values()], [...missing.values()]];
}
