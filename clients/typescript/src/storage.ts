import type { Operation, Task, TaskList } from "./schemas.js";

/** A write in the outbox. */
export interface Entry {
  readonly id: string;
  /** Its place in the outbox, from the storage; 0 before it is stored. */
  readonly sequence: number;
  readonly operation: Operation;
  /** When it was made. */
  readonly at: string;
  /** What only the view needs: a provisional position, or what comes back by a restore. */
  readonly local: LocalEffect;
  /** How it was sent; entries with the same key were sent in one batch. It is sent again in exactly this way. */
  readonly sent?: { readonly key: string; readonly at: string; readonly if_match?: string };
  /** How often somebody else had changed the record before it arrived. */
  readonly mismatches?: number;
  /** What the service answered. The entry stays until its effect has come by the delta. */
  readonly arrived?: { readonly revision: number; readonly record?: Task | TaskList };
}

export interface LocalEffect {
  readonly position?: string;
  readonly task?: Task;
  readonly list?: TaskList;
  readonly tasks?: readonly Task[];
}

/** A change of the copy and its outbox, which is stored as a whole or not at all. */
export interface StoredChange {
  /** Forget all tasks and lists first; the outbox stays. */
  readonly reset?: boolean;
  readonly tasks?: readonly Task[];
  readonly goneTasks?: readonly string[];
  readonly lists?: readonly TaskList[];
  readonly goneLists?: readonly string[];
  /** The sync token up to which the copy is complete; "" for none. */
  readonly token?: string;
  /** New entries; the storage gives each the next sequence. */
  readonly added?: readonly Entry[];
  readonly updated?: readonly Entry[];
  /** The sequences of entries to delete. */
  readonly dropped?: readonly number[];
}

export interface StoredCopy {
  readonly tasks: readonly Task[];
  readonly lists: readonly TaskList[];
  readonly token: string;
  /** By sequence. */
  readonly outbox: readonly Entry[];
}

/** The stored copy of one user. */
export interface OpenedStorage {
  /** Read all, or only these tasks and lists; the token and the outbox always. */
  read(ids?: { tasks: readonly string[]; lists: readonly string[] }): Promise<StoredCopy>;
  /** Apply a change atomically, and return the sequences of the added entries. */
  commit(change: StoredChange): Promise<readonly number[]>;
  close(): void;
}

/** Where copies are stored, one by user. */
export interface CopyStorage {
  /** Whether other tabs open the same copy. */
  readonly shared: boolean;
  /** Open the copy of a user, and delete those of all others. `onErased` is called when another tab deletes it. */
  open(user: string, onErased: () => void): Promise<OpenedStorage>;
  erase(user: string): Promise<void>;
}

interface Memory {
  tasks: Map<string, Task>;
  lists: Map<string, TaskList>;
  outbox: Map<number, Entry>;
  token: string;
  last: number;
}

/** Keep copies in memory: they last as long as this object does. */
export function memoryStorage(): CopyStorage {
  const copies = new Map<string, Memory>();
  return {
    shared: false,
    open: async (user) => {
      for (const other of copies.keys()) if (other !== user) copies.delete(other);
      const fresh = { tasks: new Map(), lists: new Map(), outbox: new Map(), token: "", last: 0 };
      const copy: Memory = copies.get(user) ?? fresh;
      copies.set(user, copy);
      return { read: async (ids) => readMemory(copy, ids), commit: async (change) => commitMemory(copy, change), close() {} };
    },
    erase: async (user) => void copies.delete(user),
  };
}

function readMemory(copy: Memory, ids?: { tasks: readonly string[]; lists: readonly string[] }): StoredCopy {
  const pick = <T>(records: Map<string, T>, names: Iterable<string>) =>
    [...names].map((id) => records.get(id)).filter((record) => record !== undefined);
  return {
    tasks: pick(copy.tasks, ids?.tasks ?? copy.tasks.keys()),
    lists: pick(copy.lists, ids?.lists ?? copy.lists.keys()),
    token: copy.token,
    outbox: [...copy.outbox.values()],
  };
}

function commitMemory(copy: Memory, change: StoredChange): number[] {
  if (change.reset) {
    copy.tasks.clear();
    copy.lists.clear();
  }
  for (const task of change.tasks ?? []) copy.tasks.set(task.id, task);
  for (const id of change.goneTasks ?? []) copy.tasks.delete(id);
  for (const list of change.lists ?? []) copy.lists.set(list.id, list);
  for (const id of change.goneLists ?? []) copy.lists.delete(id);
  for (const entry of change.updated ?? []) copy.outbox.set(entry.sequence, entry);
  for (const sequence of change.dropped ?? []) copy.outbox.delete(sequence);
  copy.token = change.token ?? copy.token;
  return (change.added ?? []).map((entry) => {
    copy.outbox.set(++copy.last, { ...entry, sequence: copy.last });
    return copy.last;
  });
}
