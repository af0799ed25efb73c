import { Dexie, type EntityTable } from "dexie";
import type { Task, TaskList } from "./schemas.js";
import type { CopyStorage, Entry, OpenedStorage, StoredChange } from "./storage.js";

const PREFIX = "todo-api:";

class CopyDatabase extends Dexie {
  declare tasks: EntityTable<Task, "id">;
  declare lists: EntityTable<TaskList, "id">;
  declare outbox: EntityTable<Entry, "sequence">;
  declare marks: EntityTable<{ name: string; value: string }, "name">;

  constructor(user: string) {
    super(PREFIX + user);
    this.version(1).stores({ tasks: "id", lists: "id", outbox: "++sequence", marks: "name" });
  }
}

/** Keep copies in IndexedDB, a database by user, which all tabs share. */
export function indexedDBStorage(): CopyStorage {
  return {
    shared: true,
    async open(user, onErased) {
      const names = await Dexie.getDatabaseNames();
      await Promise.all(
        names.filter((name) => name.startsWith(PREFIX) && name !== PREFIX + user).map((name) => Dexie.delete(name)),
      );
      return opened(new CopyDatabase(user), onErased);
    },
    erase: (user) => Dexie.delete(PREFIX + user),
  };
}

async function opened(db: CopyDatabase, onErased: () => void): Promise<OpenedStorage> {
  const all = [db.tasks, db.lists, db.outbox, db.marks] as const;
  db.on("versionchange", () => {
    db.close(); // otherwise the other tab would wait
    onErased();
    return false; // instead of Dexie's own answer, which would open it again
  });
  await db.open();
  return {
    read: (ids) =>
      db.transaction("r", all, async () => {
        const [tasks, lists, outbox, token] = await Promise.all([
          ids ? db.tasks.bulkGet([...ids.tasks]) : db.tasks.toArray(),
          ids ? db.lists.bulkGet([...ids.lists]) : db.lists.toArray(),
          db.outbox.orderBy("sequence").toArray(),
          db.marks.get("token"),
        ]);
        return { tasks: tasks.filter((one) => !!one), lists: lists.filter((one) => !!one), outbox, token: token?.value ?? "" };
      }),
    commit: (change) => db.transaction("rw", all, () => commit(db, change)),
    close: () => db.close(),
  };
}

async function commit(db: CopyDatabase, change: StoredChange): Promise<readonly number[]> {
  if (change.reset) await Promise.all([db.tasks.clear(), db.lists.clear()]);
  if (change.tasks?.length) await db.tasks.bulkPut([...change.tasks]);
  if (change.goneTasks?.length) await db.tasks.bulkDelete([...change.goneTasks]);
  if (change.lists?.length) await db.lists.bulkPut([...change.lists]);
  if (change.goneLists?.length) await db.lists.bulkDelete([...change.goneLists]);
  if (change.token !== undefined) await db.marks.put({ name: "token", value: change.token });
  if (change.updated?.length) await db.outbox.bulkPut([...change.updated]);
  if (change.dropped?.length) await db.outbox.bulkDelete([...change.dropped]);
  if (!change.added?.length) return [];
  const fresh = change.added.map(({ sequence: _, ...entry }) => entry);
  return db.outbox.bulkAdd(fresh, { allKeys: true });
}
