import { type ChangedIds, LocalCopy } from "./copy.js";
import { newId } from "./ids.js";
import type { Operation } from "./schemas.js";
import type { Entry, LocalEffect, OpenedStorage, StoredChange } from "./storage.js";

export interface ReplicaListener {
  /** These records are shown differently, or the outbox is another. */
  changed(ids: ChangedIds): void;
  /** Writes that were made here are stored. */
  written(): void;
  /** A change of these records is stored, or one of all. */
  stored(ids: ChangedIds | undefined): void;
  /** Writes could not be stored, and are undone. */
  failed(error: Error): void;
}

/** The copy of a user in memory and in the storage, kept equal. */
export class Replica {
  readonly copy = new LocalCopy();
  readonly #storage: OpenedStorage;
  readonly #listener: ReplicaListener;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  #saving: Promise<void> | undefined;

  constructor(storage: OpenedStorage, listener: ReplicaListener) {
    this.#storage = storage;
    this.#listener = listener;
  }

  /** Show a write at once, and store it soon: `saved` tells when. */
  write(operation: Operation, at: string, local: LocalEffect): void {
    const ids = this.copy.add({ id: newId(), sequence: 0, operation, at, local });
    this.#saving ??= this.#save();
    this.#listener.changed(ids);
  }

  async saved(): Promise<void> {
    await this.#saving;
  }

  /** Store a change, then show it. */
  commit(change: StoredChange): Promise<void> {
    return this.#inTurn(async () => {
      await this.#storage.commit(change);
      const dropped = new Set(change.dropped);
      const updated = new Map(change.updated?.map((entry) => [entry.sequence, entry]));
      const outbox = this.copy.outbox
        .filter((entry) => !dropped.has(entry.sequence))
        .map((entry) => updated.get(entry.sequence) ?? entry);
      this.#listener.changed(this.copy.update(outbox, change));
      this.#listener.stored(change.reset ? undefined : idsOf(change));
    });
  }

  /** Read what another tab has stored: all, or these tasks and lists, and the outbox. */
  refresh(ids?: ChangedIds): Promise<void> {
    return this.#inTurn(async () => {
      const stored = await this.#storage.read(ids);
      const known = new Set(stored.outbox.map((entry) => entry.id));
      const unsaved = this.copy.outbox.filter((entry) => entry.sequence === 0 && !known.has(entry.id));
      const outbox = [...stored.outbox, ...unsaved];
      const { tasks, lists, token } = stored;
      const found = new Set([...tasks, ...lists].map((record) => record.id));
      const gone = (names: readonly string[] = []) => names.filter((id) => !found.has(id));
      this.#listener.changed(
        this.copy.update(outbox, {
          reset: !ids, tasks, lists, token, goneTasks: gone(ids?.tasks), goneLists: gone(ids?.lists),
        }),
      );
    });
  }

  /** Store the writes that were made here, those that were made meanwhile together. */
  async #save(): Promise<void> {
    for (;;) {
      await Promise.resolve(); // several writes in a row become one transaction
      const entries = this.copy.outbox.filter((entry) => entry.sequence === 0);
      if (!entries.length) {
        this.#saving = undefined; // at once: the next write begins another save
        return;
      }
      await this.#inTurn(() => this.#store(entries)).catch((error: Error) => this.#discard(entries, error));
    }
  }

  async #store(entries: readonly Entry[]): Promise<void> {
    const sequences = await this.#storage.commit({ added: entries });
    const given = new Map(entries.map((entry, index) => [entry.id, sequences[index]!]));
    const numbered = this.copy.outbox.map((entry) => ({ ...entry, sequence: given.get(entry.id) ?? entry.sequence }));
    const order = (entry: Entry) => entry.sequence || Infinity;
    numbered.sort((a, b) => (order(a) === order(b) ? 0 : order(a) - order(b)));
    this.#listener.changed(this.copy.update(numbered));
    this.#listener.written();
  }

  /** A write that cannot be stored is undone, so that nothing is shown that a reload would lose. */
  #discard(entries: readonly Entry[], error: Error): void {
    const ids = new Set(entries.map((entry) => entry.id));
    this.#listener.changed(this.copy.update(this.copy.outbox.filter((entry) => !ids.has(entry.id))));
    this.#listener.failed(error);
  }

  /** Close the storage when it has done what it is doing; what comes later is refused. */
  close(): void {
    this.#isClosed = true;
    void this.#last.then(() => this.#storage.close());
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => {
      if (this.#isClosed) throw new Error("the store was closed");
      return task();
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

function idsOf({ tasks = [], goneTasks = [], lists = [], goneLists = [] }: StoredChange): ChangedIds {
  return {
    tasks: [...tasks.map((task) => task.id), ...goneTasks],
    lists: [...lists.map((list) => list.id), ...goneLists],
  };
}
