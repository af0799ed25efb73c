import createClient from "openapi-fetch";
import type { components, paths } from "./generated/openapi-typescript.js";

type Task = components["schemas"]["Task"];
declare const process: { argv: string[] };
const [baseUrl, jwt] = process.argv.slice(2) as [string, string];
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${jwt}` } });

const created = await client.POST("/api/tasks", { body: { title: "Buy milk", due_date: "2026-12-31" } });
const task: Task = created.data!;
const path = { task_id: task.id };
const read = await client.GET("/api/tasks/{task_id}", { params: { path } });
const listed = await client.GET("/api/tasks", { params: { query: { status: "pending", sort: "due_date", limit: 50 } } });
const etag = created.response.headers.get("ETag")!;
const body = { description: "Two litres", due_date: null };
const updated = await client.PATCH("/api/tasks/{task_id}", { params: { path, header: { "If-Match": etag } }, body });
const again = await client.PATCH("/api/tasks/{task_id}", { params: { path, header: { "If-Match": etag } }, body });
const completed = await client.PATCH("/api/tasks/{task_id}/complete", { params: { path } });
const batch = await client.POST("/api/tasks/batch", { body: { operations: [{ op: "create", title: "Buy bread" }] } });
const changes = await client.GET("/api/tasks/changes", { params: { query: {} } });
const mine = { path: { task_id: crypto.randomUUID() }, header: { "If-None-Match": "*" as const } };
const put = await client.PUT("/api/tasks/{task_id}", { params: mine, body: { title: "Offline" } });
const deleted = await client.DELETE("/api/tasks/{task_id}", { params: { path } });
const restored = await client.POST("/api/tasks/{task_id}/restore", { params: { path } });

console.log(JSON.stringify({
  read: read.data?.title, put: put.data?.id === mine.path.task_id && put.response.status,
  listed: listed.data?.map((one) => one.title), updated: updated.data?.description, again: again.error?.code,
  completed: completed.data?.completed, batch: batch.data?.results[0]?.task?.title,
  changes: changes.data?.tasks.map((one) => one.title).sort(), deleted: deleted.response.status, restored: restored.data?.title,
}));
