import * as api from "./generated/orval.js";
import type { Task } from "./generated/orval.js";

declare const process: { argv: string[] };
const [baseUrl, jwt] = process.argv.slice(2) as [string, string];
const fetchOf = globalThis.fetch;
globalThis.fetch = (path, init) =>
  fetchOf(baseUrl + path, { ...init, headers: { ...(init?.headers as object), Authorization: `Bearer ${jwt}` } });

const created = await api.createTask({ title: "Buy milk", due_date: "2026-12-31" });
if (created.status !== 201) throw new Error(created.data.detail);
const task: Task = created.data;
const read = await api.getTask(task.id);
const listed = await api.listTasks({ status: "pending", sort: "due_date", limit: 50 });
const options = { headers: { "If-Match": created.headers.get("ETag")! } };
const body = { description: "Two litres", due_date: null };
const updated = await api.updateTask(task.id, body, options);
const again = await api.updateTask(task.id, body, options);
const list = await api.createList({ name: "Groceries", color: "#1e90ff" });
if (list.status !== 201) throw new Error(list.data.detail);
const moved = await api.moveTask(task.id, { to: "start", list_id: list.data.id });
const tagged = await api.updateTask(task.id, { tags: ["shop"], priority: "high" });
const inList = { list: list.data.id, due: "none" as const, q: "mil", sort: "position" as const };
const found = await api.listTasks({ ...inList, tag: ["shop"], priority: ["high", "medium"] });
const counts = await api.countTasks({ time_zone: "Europe/Berlin" });
const recurrence = { rule: "FREQ=WEEKLY;BYDAY=MO,TH" };
const repeated = await api.updateTask(task.id, { due_date: "2026-12-31", recurrence });
const dates = await api.listOccurrences(task.id, { count: 3 });
const completed = await api.completeTask(task.id, {});
const next = completed.status === 200 ? completed.data.next_id! : "";
const skipped = await api.skipTask(next);
const noList = await api.deleteList(list.data.id);
const lists = await api.restoreList(list.data.id);
const batch = await api.runBatch({ operations: [{ op: "create", title: "Buy bread" }] });
const changes = await api.listChanges();
const mine = crypto.randomUUID();
const put = await api.putTask(mine, { title: "Offline" }, { headers: { "If-None-Match": "*" } });
const deleted = await api.deleteTask(task.id);
const restored = await api.restoreTask(task.id);

console.log(JSON.stringify({
  read: read.status === 200 && read.data.title, put: put.status === 201 && put.data.id === mine && put.status,
  listed: listed.status === 200 && listed.data.map((one) => one.title), updated: updated.status === 200 && updated.data.description,
  again: again.status === 412 && again.data.code, completed: completed.status === 200 && completed.data.completed,
  list: moved.status === 200 && moved.data.list_id === list.data.id && list.data.color,
  found: found.status === 200 && found.data.map((one) => one.title), tags: tagged.status === 200 && tagged.data.tags,
  high: counts.status === 200 && counts.data.tags.map((one) => one.all),
  from: repeated.status === 200 && repeated.data.recurrence?.from, dates: dates.status === 200 && dates.data.length,
  skipped: skipped.status === 200 && skipped.data.previous_id === next && skipped.data.completed,
  noList: noList.status, lists: lists.status === 200 && lists.data.name,
  batch: batch.status === 200 && batch.data.results[0]?.task?.title,
  changes: changes.status === 200 && changes.data.tasks.map((one) => one.title).sort(),
  deleted: deleted.status, restored: restored.status === 200 && restored.data.title,
}));
