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
const list = await api.createList({ body: { name: "Groceries", color: "#1e90ff" } });
const inList = { list: list.data!.id, due: "none" as const, q: "mil", sort: "position" as const };
const moved = await api.moveTask({ path, body: { to: "start", list_id: inList.list } });
const tagged = await api.updateTask({ path, body: { tags: ["shop"], priority: "high" } });
const found = await api.listTasks({ query: { ...inList, tag: ["shop"], priority: ["high", "medium"] } });
const counts = await api.countTasks({ query: { time_zone: "Europe/Berlin" } });
const recurrence = { rule: "FREQ=WEEKLY;BYDAY=MO,TH" };
const repeated = await api.updateTask({ path, body: { due_date: "2026-12-31", recurrence } });
const dates = await api.listOccurrences({ path, query: { count: 3 } });
const completed = await api.completeTask({ path });
const skipped = await api.skipTask({ path: { task_id: completed.data!.next_id! } });
const noList = await api.deleteList({ path: { list_id: inList.list } });
const lists = await api.restoreList({ path: { list_id: inList.list } });
const batch = await api.runBatch({ body: { operations: [{ op: "create", title: "Buy bread" }] } });
const changes = await api.listChanges();
const mine = { task_id: crypto.randomUUID() };
const put = await api.putTask({ path: mine, headers: { "If-None-Match": "*" }, body: { title: "Offline" } });
const deleted = await api.deleteTask({ path });
const restored = await api.restoreTask({ path });

console.log(JSON.stringify({
  read: read.data?.title, put: put.data?.id === mine.task_id && put.response!.status,
  listed: listed.data?.map((one) => one.title), updated: updated.data?.description, again: again.error?.code,
  list: moved.data?.list_id === inList.list && list.data?.color, found: found.data?.map((one) => one.title),
  tags: tagged.data?.tags, high: counts.data?.tags.map((one) => one.all), from: repeated.data?.recurrence?.from,
  dates: dates.data?.length, skipped: skipped.data?.previous_id === completed.data?.next_id && skipped.data?.completed,
  noList: noList.response!.status, lists: lists.data?.name,
  completed: completed.data?.completed, batch: batch.data?.results[0]?.task?.title,
  changes: changes.data?.tasks.map((one) => one.title).sort(), deleted: deleted.response!.status, restored: restored.data?.title,
}));
