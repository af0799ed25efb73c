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
const list = await client.POST("/api/lists", { body: { name: "Groceries", color: "#1e90ff" } });
const inList = { list: list.data!.id, due: "none" as const, q: "mil", sort: "position" as const };
const place = { to: "start" as const, list_id: inList.list };
const moved = await client.POST("/api/tasks/{task_id}/move", { params: { path }, body: place });
const some = { tags: ["shop"], priority: "high" as const };
const tagged = await client.PATCH("/api/tasks/{task_id}", { params: { path }, body: some });
const query = { ...inList, tag: ["shop"], priority: ["high" as const, "medium" as const] };
const found = await client.GET("/api/tasks", { params: { query } });
const counts = await client.GET("/api/tasks/counts", { params: { query: { time_zone: "Europe/Berlin" } } });
const weekly = { due_date: "2026-12-31", recurrence: { rule: "FREQ=WEEKLY;BYDAY=MO,TH" } };
const repeated = await client.PATCH("/api/tasks/{task_id}", { params: { path }, body: weekly });
const dates = await client.GET("/api/tasks/{task_id}/occurrences", { params: { path, query: { count: 3 } } });
const completed = await client.PATCH("/api/tasks/{task_id}/complete", { params: { path } });
const next = { task_id: completed.data!.next_id! };
const skipped = await client.POST("/api/tasks/{task_id}/skip", { params: { path: next } });
const listPath = { list_id: inList.list };
const noList = await client.DELETE("/api/lists/{list_id}", { params: { path: listPath } });
const lists = await client.POST("/api/lists/{list_id}/restore", { params: { path: listPath } });
const batch = await client.POST("/api/tasks/batch", { body: { operations: [{ op: "create", title: "Buy bread" }] } });
const changes = await client.GET("/api/tasks/changes", { params: { query: {} } });
const mine = { path: { task_id: crypto.randomUUID() }, header: { "If-None-Match": "*" as const } };
const put = await client.PUT("/api/tasks/{task_id}", { params: mine, body: { title: "Offline" } });
const deleted = await client.DELETE("/api/tasks/{task_id}", { params: { path } });
const restored = await client.POST("/api/tasks/{task_id}/restore", { params: { path } });

console.log(JSON.stringify({
  read: read.data?.title, put: put.data?.id === mine.path.task_id && put.response.status,
  listed: listed.data?.map((one) => one.title), updated: updated.data?.description, again: again.error?.code,
  list: moved.data?.list_id === inList.list && list.data?.color, found: found.data?.map((one) => one.title),
  tags: tagged.data?.tags, high: counts.data?.tags.map((one) => one.all), from: repeated.data?.recurrence?.from,
  dates: dates.data?.length, skipped: skipped.data?.previous_id === next.task_id && skipped.data?.completed,
  noList: noList.response.status, lists: lists.data?.name,
  completed: completed.data?.completed, batch: batch.data?.results[0]?.task?.title,
  changes: changes.data?.tasks.map((one) => one.title).sort(), deleted: deleted.response.status, restored: restored.data?.title,
}));
