import type { Client } from "./client.js";
import { conflictsOf } from "./conflicts.js";
import { ApiError, NO_PROBLEM } from "./errors.js";
import type { ConflictEvent, RejectedEvent } from "./events.js";
import { newId } from "./ids.js";
import { joined } from "./pages.js";
import type { Replica } from "./replica.js";
import type { BatchResults, Changes, Operation, Task, TaskList } from "./schemas.js";
import type { Entry } from "./storage.js";

const BATCH_OPERATIONS = 50;
const BATCH_LENGTH = 200_000; // characters of JSON
const MISMATCHES = 5; // after so many, a write no longer waits for a moment in which nobody else changes the record
const KEY_LIFETIME = 23 * 3_600_000; // the service keeps keys for 24 hours

type Report = (event: RejectedEvent | ConflictEvent) => void;

/** Sends the outbox and reads the delta. Its calls must not overlap. */
export class Exchange {
  readonly #client: Client;
  readonly #replica: Replica;
  readonly #report: Report;
  readonly #signal: AbortSignal;
  #oneByOne = false;

  constructor(client: Client, replica: Replica, report: Report, signal: AbortSignal) {
    this.#client = client;
    this.#replica = replica;
    this.#report = report;
    this.#signal = signal;
  }

  hasUnsent(): boolean {
    return this.#unsent().length > 0;
  }

  /** Whether a batch was sent and not answered. Until it is, a change that comes may be its own effect. */
  isInDoubt(): boolean {
    return this.#unsent().some((entry) => entry.sent);
  }

  /**
   * Send all writes in order, in batches that succeed or fail as a whole. A batch whose answer was lost is sent again
   * with its key before anything else.
   */
  async send(): Promise<void> {
    await this.#replica.saved();
    while (this.hasUnsent()) {
      const batch = await this.#nextBatch();
      try {
        await this.#arrived(batch, await this.#post(batch));
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        await this.#refused(batch, error);
      }
    }
    this.#oneByOne = false;
  }

  /** Read all changes since the token, and apply them together: a task may come a page before its list. */
  async pull(): Promise<void> {
    const arrived = this.#outbox().filter((entry) => entry.arrived);
    let { token } = this.#replica.copy;
    let isReset = token === "";
    const pages: Changes[] = [];
    do {
      const page = await this.#changes(token);
      if (!page) {
        isReset = true;
        token = "";
        pages.length = 0;
        continue;
      }
      pages.push(page);
      token = page.next;
    } while (pages.at(-1)?.has_more ?? true);
    await this.apply(joined(pages), arrived, isReset);
  }

  /** Apply a page of changes, and drop the writes that it contains. */
  async apply(page: Changes, contained: readonly Entry[], reset = false): Promise<void> {
    const { baseTasks, baseLists } = this.#replica.copy;
    const conflicts = [
      ...page.tasks.flatMap((task) => conflictsOf(baseTasks.get(task.id), task, this.#outbox())),
      ...page.lists.flatMap((list) => conflictsOf(baseLists.get(list.id), list, this.#outbox())),
    ];
    await this.#replica.commit({
      reset,
      tasks: page.tasks,
      goneTasks: page.deleted.map((gone) => gone.id),
      lists: page.lists,
      goneLists: page.deleted_lists.map((gone) => gone.id),
      token: page.next,
      dropped: contained.map((entry) => entry.sequence),
    });
    conflicts.forEach(this.#report);
  }

  /** Return the writes that a page of the live stream certainly contains. */
  containedIn(page: Changes): Entry[] {
    if (page.has_more) return [];
    const revisions = [page.tasks, page.deleted, page.lists, page.deleted_lists].flat().map((one) => one.revision);
    const last = Math.max(0, ...revisions);
    return this.#outbox().filter((entry) => entry.arrived && entry.arrived.revision <= last);
  }

  #outbox(): readonly Entry[] {
    return this.#replica.copy.outbox;
  }

  #unsent(): Entry[] {
    return this.#outbox().filter((entry) => !entry.arrived && entry.sequence !== 0);
  }

  /** Return a page of changes; undefined if the token is not valid any more, so that all must be loaded again. */
  async #changes(since: string): Promise<Changes | undefined> {
    const query = since ? { since } : {};
    try {
      const init = { params: { query }, signal: this.#signal };
      return (await this.#client.GET("/api/tasks/changes", init)).data;
    } catch (error) {
      if (since && error instanceof ApiError && isStale(error)) return undefined;
      throw error;
    }
  }

  /** Return the writes that were sent together and not answered, or else give the next ones a key, and store it. */
  async #nextBatch(): Promise<readonly Entry[]> {
    const unsent = this.#unsent();
    const key = unsent[0]!.sent?.key;
    if (key) return unsent.filter((entry) => entry.sent?.key === key);
    const sent = { key: newId(), at: new Date().toISOString() };
    const batch: Entry[] = [];
    for (let length = 0; batch.length < (this.#oneByOne ? 1 : BATCH_OPERATIONS); ) {
      const entry = unsent[batch.length];
      length += JSON.stringify(entry?.operation ?? "").length;
      if (!entry || (batch.length && length > BATCH_LENGTH)) break;
      const match = this.#matchOf(entry, batch);
      batch.push({ ...entry, sent: { ...sent, ...(match && { if_match: match }) } });
    }
    await this.#replica.commit({ updated: batch });
    return batch;
  }

  /** Return the ETag that the first of several changes of a record expects, so that no change elsewhere goes unseen. */
  #matchOf(entry: Entry, earlier: readonly Entry[]): string | undefined {
    const { op, id } = entry.operation;
    if (!["update", "update_list"].includes(op) || "if_match" in entry.operation) return undefined;
    if ((entry.mismatches ?? 0) >= MISMATCHES) return undefined;
    if (earlier.some((one) => one.operation.id === id || MANY_RECORDS.includes(one.operation.op))) return undefined;
    const arrived = this.#outbox().filter((one) => one.arrived);
    if (arrived.some((one) => MANY_RECORDS.includes(one.operation.op))) return undefined;
    const { baseTasks, baseLists } = this.#replica.copy;
    const versions = arrived.filter((one) => one.operation.id === id).map((one) => one.arrived!.record);
    const revisions = [baseTasks.get(id!), baseLists.get(id!), ...versions].map((record) => record?.revision ?? 0);
    const revision = Math.max(...revisions);
    return revision ? `"${revision}"` : undefined;
  }

  async #post(batch: readonly Entry[]): Promise<BatchResults> {
    const operations = batch.map(
      ({ operation, sent }) => ({ ...operation, ...(sent!.if_match && { if_match: sent!.if_match }) }) as Operation,
    );
    const header = { "Idempotency-Key": batch[0]!.sent!.key };
    const init = { params: { header }, body: { operations }, signal: this.#signal };
    return (await this.#client.POST("/api/tasks/batch", init)).data;
  }

  /**
   * Use up the key of a refused batch with a request that does nothing, so that a copy of the batch that is still on its
   * way cannot run later. Return false if one has run meanwhile.
   */
  async #useUp(key: string): Promise<boolean> {
    const nothing = { operations: [{ op: "delete" as const, id: key }], atomic: false };
    const init = { params: { header: { "Idempotency-Key": key } }, body: nothing, signal: this.#signal };
    try {
      await this.#client.POST("/api/tasks/batch", init);
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.code === "idempotency-key-reused") return false;
      throw error;
    }
  }

  async #arrived(batch: readonly Entry[], { revision, results }: BatchResults): Promise<void> {
    const updated = batch.map((entry, index) => {
      const record = recordOf(entry, results[index]);
      return { ...entry, arrived: { revision, ...(record && { record }) } };
    });
    await this.#replica.commit({ updated });
  }

  /** The service refused a batch, so none of it was done: find out which write it is, and go on with the others. */
  async #refused(batch: readonly Entry[], error: ApiError): Promise<void> {
    if (isTemporary(error)) throw error;
    if (error.code !== "idempotency-key-reused" && !(await this.#useUp(batch[0]!.sent!.key))) return; // sent again
    const index = batch.length === 1 ? 0 : error.problem.index;
    const refused = index === undefined || error.code === "idempotency-key-reused" ? undefined : batch[index];
    const free = (entries: readonly Entry[]) => entries.map(({ sent: _, ...entry }): Entry => entry);
    if (!refused) {
      this.#oneByOne = true;
      return this.#replica.commit({ updated: free(batch) });
    }
    const others = free(batch.filter((entry) => entry !== refused));
    if (refused.sent!.if_match && error.code === "revision-mismatch") {
      await this.pull();
      const again = free([{ ...refused, mismatches: (refused.mismatches ?? 0) + 1 }]);
      return this.#replica.commit({ updated: [...again, ...others] });
    }
    if (wasDoneBefore(refused, error)) {
      const arrived = free([{ ...refused, arrived: { revision: 0 } }]);
      return this.#replica.commit({ updated: [...arrived, ...others] });
    }
    await this.#reject(refused, error, others);
  }

  async #reject(refused: Entry, { problem }: ApiError, others: readonly Entry[]): Promise<void> {
    const { copy } = this.#replica;
    const id = refused.operation.id!;
    const yours = copy.task(id) ?? copy.list(id) ?? refused.local.task ?? refused.local.list;
    await this.pull();
    await this.#replica.commit({ updated: others, dropped: [refused.sequence] });
    const theirs = copy.baseTasks.get(id) ?? copy.baseLists.get(id);
    this.#report({ kind: "rejected", operation: refused.operation, problem, yours, theirs });
  }
}

const MANY_RECORDS = ["delete_list", "restore_list"];

function recordOf(entry: Entry, result: BatchResults["results"][number] | undefined): Task | TaskList | undefined {
  const record = result?.task ?? result?.list;
  return record?.id === entry.operation.id ? record : undefined; // that of a skip is the next occurrence
}

function isStale({ status, code }: ApiError): boolean {
  return status === 410 || code === "invalid-sync-token";
}

/** Errors that are not about the write: it is sent again later. */
function isTemporary({ status, code }: ApiError): boolean {
  if (code === NO_PROBLEM) return status !== 413; // from a proxy, which does not know what the service would say
  return [401, 403, 408, 429].includes(status) || status >= 500 || code === "idempotency-key-in-use";
}

/** Whether the service already has what the write wants: deleted by another device, or sent before the key expired. */
function wasDoneBefore({ operation, sent }: Entry, { status, code }: ApiError): boolean {
  if (operation.op === "delete" || operation.op === "delete_list") return status === 404;
  if (code === "task-not-in-trash" || code === "list-not-in-trash") return true;
  const isOld = Date.now() - Date.parse(sent!.at) > KEY_LIFETIME;
  return isOld && (code === "task-exists" || code === "list-exists");
}
