import { ApiError } from "todo-api-client";

/** Say why a request failed, and what to do. */
export function inWords(error: unknown): string {
  if (error instanceof ApiError) return `${error.detail}.`;
  return "The server cannot be reached. Check your connection, then try again.";
}
