import { client } from "./generated/hey-api/client.gen.js";
import * as api from "./generated/hey-api/sdk.gen.js";
import type { Task } from "./generated/hey-api/types.gen.js";

declare const process: { argv: string[] };
const [baseUrl, jwt] = process.argv.slice(2) as [string, string];
client.setConfig({ baseUrl, auth: jwt });

const created = await api.createTask({ body: { title: "Buy milk", due_date: "2026-12-31" } });
const task: Task = created.data!;
const path = { task_id: task.id };
const read = await api.getTask({ path });
const listed = await api.listTasks({ query: { status: "pending", sort: "due_date", limit: 50 } });
const headers = { "If-Match": created.response!.headers.get("ETag")! };
const body = { description: "Two litres", due_date: null };
const updated = await api.updateTask({ path, headers, body });
const again = await api.updateTask({ path, headers, body });
const completed = await api.completeTask({ path });
const batch = await api.runBatch({ body: { operations: [{ op: "create", title: "Buy bread" }] } });
const changes = await api.listChanges();
const mine = { task_id: crypto.randomUUID() };
const put = await api.putTask({ path: mine, headers: { "If-None-Match": "*" }, body: { title: "Offline" } });
const deleted = await api.deleteTask({ path });
const restored = await api.restoreTask({ path });

console.log(JSON.stringify({
  read: read.data?.title, put: put.data?.id === mine.task_id && put.response!.status,
  listed: listed.data?.map((one) => one.title), updated: updated.data?.description, again: again.error?.code,
  completed: completed.data?.completed, batch: batch.data?.results[0]?.task?.title,
  changes: changes.data?.tasks.map((one) => one.title).sort(), deleted: deleted.response!.status, restored: restored.data?.title,
}));
