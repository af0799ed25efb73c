import type { Locks } from "../../src/tabs.js";

/** Web Locks, for the versions of Node that do not have them: one holder of a name at a time, in the order of the requests. */
export class OneProcessLocks implements Locks {
  readonly #last = new Map<string, Promise<unknown>>();

  async request(name: string, { signal }: { signal: AbortSignal }, callback: () => Promise<void>): Promise<void> {
    const before = this.#last.get(name) ?? Promise.resolve();
    const turn = before.then(async () => {
      if (!signal.aborted) await callback();
    });
    this.#last.set(name, turn.catch(() => undefined));
    await turn;
  }
}
