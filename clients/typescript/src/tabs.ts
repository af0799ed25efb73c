import type { ChangedIds } from "./copy.js";
import type { ConflictEvent, RejectedEvent } from "./events.js";
import { ApiError } from "./errors.js";
import type { Problem } from "./schemas.js";

/** What the tabs of one copy tell each other. */
export type Message =
  | { kind: "stored"; ids: ChangedIds | undefined } // read these again, or all
  | { kind: "written" } // the outbox has more
  | { kind: "report"; event: ConflictEvent | RejectedEvent }
  | { kind: "state"; connected: boolean; failure: Failure | undefined }
  | { kind: "hello" } // a new tab asks for the state
  | { kind: "sync" }
  | { kind: "synced"; failure: Failure | undefined };

/** An error as it can be sent to another tab. */
export type Failure = { problem: Problem } | { message: string };

export function failureOf(error: Error | undefined): Failure | undefined {
  return error && (error instanceof ApiError ? { problem: error.problem } : { message: error.message });
}

export function errorOf(failure: Failure | undefined): Error | undefined {
  return failure && ("problem" in failure ? new ApiError(failure.problem) : new Error(failure.message));
}

/** The part of the browser's LockManager that is used. */
export interface Locks {
  request(name: string, options: { signal: AbortSignal }, callback: () => Promise<void>): Promise<unknown>;
}

export interface Tabs {
  tell(message: Message): void;
  close(): void;
}

/** Talk to the other tabs with this name. Without BroadcastChannel there are none. */
export function joinTabs(name: string, onMessage: (message: Message) => void): Tabs {
  if (typeof BroadcastChannel === "undefined") return { tell() {}, close() {} };
  const channel = new BroadcastChannel(name);
  (channel as { unref?: () => void }).unref?.(); // Node would wait for it
  channel.onmessage = ({ data }: MessageEvent<Message>) => onMessage(data);
  return { tell: (message) => channel.postMessage(message), close: () => channel.close() };
}

/**
 * Run a task while this is the only tab that does, as soon as no other does. Without Web Locks it runs at once: then
 * there are no tabs.
 */
export function leadOneOf(name: string, locks: Locks | undefined, signal: AbortSignal, task: () => Promise<void>): void {
  const leading = locks ? locks.request(name, { signal }, task) : task();
  leading.catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
