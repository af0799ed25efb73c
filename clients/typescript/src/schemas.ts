import type { components } from "./generated/api.js";

type Schemas = components["schemas"];

export type Task = Schemas["Task"];
export type TaskList = Schemas["TaskList"];
export type Priority = Schemas["Priority"];
export type Recurrence = Schemas["Recurrence"];
export type ChecklistItem = Schemas["ChecklistItem"];
export type Changes = Schemas["Changes"];
export type BatchResults = Schemas["BatchResults"];
export type OperationResult = Schemas["OperationResult"];
/** A problem document (RFC 9457), as the API returns it with every error. */
export type Problem = Schemas["Problem"];
export type FieldError = Schemas["FieldError"];

/** An operation of a batch: what the outbox stores and sends. */
export type Operation = Schemas["BatchOperation"];

type Managed = "user_id" | "completed_at" | "created_at" | "updated_at" | "revision" | "position";
type Linked = "series_id" | "previous_id" | "next_id";

/** The fields of a new task; `title` is required, and `id` is made if there is none. */
export type TaskFields = Omit<Schemas["TaskCreate"], Managed | Linked | "id"> & { id?: string };
/** The fields to change; those that are absent keep their value, and null clears. */
export type TaskChanges = Omit<Schemas["TaskUpdate"], Managed | Linked | "id" | "completed">;
export type ListFields = Omit<Schemas["ListCreate"], Managed | "id"> & { id?: string };
export type ListChanges = Omit<Schemas["ListUpdate"], Managed | "id">;

/** A place in the manual order: beside a neighbour, or at an end. */
export type Place = { before: string } | { after: string } | { to: "start" | "end" };
/** A place for a task; beside a neighbour of another list it moves there, unless `list_id` says otherwise. */
export type TaskPlace = Place & { list_id?: string | null };
