import type { Operation, Problem, Task, TaskList } from "./schemas.js";

/** Records changed, by the user here or by anyone elsewhere: `tasks` and `lists` have the ids, of deleted ones too. */
export interface ChangedEvent {
  kind: "changed";
  tasks: readonly string[];
  lists: readonly string[];
}

/** `store.status` changed. */
export interface StatusEvent {
  kind: "status";
}

/** The service refused a write. It is undone here, and will not be sent again. */
export interface RejectedEvent {
  kind: "rejected";
  operation: Operation;
  problem: Problem;
  /** The task or the list as it was here, with the write. */
  yours: Task | TaskList | undefined;
  /** What the service has; undefined if it was deleted or never arrived. */
  theirs: Task | TaskList | undefined;
}

/** Two devices changed the same field. The later change stays: `winner` says whose that is. */
export interface ConflictEvent {
  kind: "conflict";
  id: string;
  field: string;
  yours: unknown;
  theirs: unknown;
  winner: "yours" | "theirs";
}

export type StoreEvent = ChangedEvent | StatusEvent | RejectedEvent | ConflictEvent;

export interface Status {
  /** Whether the service answered last, so that changes of others arrive as they happen. */
  readonly connected: boolean;
  /** How many writes have not arrived at the service. */
  readonly pending: number;
  /** Whether this store talks to the service. Of several tabs with one copy, one does. */
  readonly leader: boolean;
  /** Whether the first load has ended. Until then, the copy may be empty or lack tasks. */
  readonly loaded: boolean;
  /** Why the last exchange failed: an `ApiError` with status 401 means that the user must sign in again. */
  readonly lastError: Error | undefined;
  /** Whether the store was closed, also by another user's sign-in or by `TodoStore.erase`. */
  readonly closed: boolean;
}
