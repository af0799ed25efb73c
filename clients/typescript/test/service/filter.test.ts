import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { createClient, memoryStorage, type Task, type TaskFilter, TodoStore } from "../../src/index.js";
import { randomOf } from "../support/network.js";
import { Service, tokenOf } from "../support/service.js";

let service: Service;
before(async () => void (service = await Service.start()));
after(() => service.stop());

const WORDS = ["Milk", "Café", "Straße", "Łódź", "牛乳", "don't", "naïve", "Ærø", "한국", "x2", "E-Mail", "สวัสดี", "Ⅷ"];
const QUERIES = ["mil", "cafe", "strasse", "lodz", "牛", "乳牛", "don t", "NAIVE", "aero", "한", "x", "mail e", "ilk", "!", "viii", "ส", "mil caf"];
const TAGS = ["home", "at work", "Über"];
const ZONES = ["UTC", "Europe/Berlin", "Pacific/Auckland", "America/Los_Angeles"];

test("filters find the same tasks as the service", async () => {
  const user = randomUUID();
  const client = createClient({ baseUrl: service.url, token: async () => tokenOf(user) });
  const random = randomOf(7);
  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)]!;
  const day = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
  const due = () => {
    const instant = day(random() * 96 - 48);
    return pick([null, instant.slice(0, 10), `${instant.slice(0, 19)}`, `${instant.slice(0, 19)}Z`]);
  };
  for (const timeZone of ZONES) {
    const store = await TodoStore.open({ client, user, storage: memoryStorage(), timeZone });
    if (timeZone === ZONES[0]) {
      const list = store.createList({ name: "Food" });
      for (let count = 0; count < 150; count++) {
        store.createTask({
          title: `${pick(WORDS)} ${pick(WORDS)}`, completed: random() < 0.3, priority: pick(["none", "low", "high"]), due_date: due(),
          list_id: pick([null, list.id]), tags: random() < 0.5 ? [pick(TAGS)] : [], description: pick([null, pick(WORDS)]),
          checklist: random() < 0.2 ? [{ title: pick(WORDS) }] : [],
        });
      }
    }
    await store.sync();
    const filters: TaskFilter[] = [
      {}, { status: "pending" }, { status: "completed" }, { list: "inbox" }, { list: store.lists()[0]!.id }, { list: randomUUID() },
      { tag: "HOME" }, { tag: ["at work", "über"] }, { tag: "über" }, { priority: "high" }, { priority: ["none", "low"] },
      ...(["overdue", "today", "upcoming", "any", "none"] as const).flatMap((view) => [{ due: view }, { due: view, status: "pending" as const }]),
      ...QUERIES.map((q) => ({ q })), { q: "milk", status: "pending", list: "inbox", due: "any" },
    ];
    for (const filter of filters) {
      const query = { ...filter, sort: "position" as const, limit: 1000, ...(filter.due && { time_zone: timeZone }) };
      const there = (await client.GET("/api/tasks", { params: { query: query as object } })).data as Task[];
      const here = store.tasks(filter);
      assert.deepEqual(here.map((task) => task.title), there.map((task) => task.title), `${timeZone} ${JSON.stringify(filter)}`);
    }
    await store.close();
  }
});
