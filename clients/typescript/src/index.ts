export { createClient, type Client, type ClientOptions } from "./client.js";
export { AnotherUserError, ApiError, NoAnswerError } from "./errors.js";
export type { ChangedEvent, ConflictEvent, RejectedEvent, Status, StatusEvent, StoreEvent } from "./events.js";
export type { components, operations, paths } from "./generated/api.js";
export type { RetryPolicy } from "./retry.js";
export type * from "./schemas.js";
