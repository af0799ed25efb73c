import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { blocksOf } from "../support/readme.js";
import { Service, tokenOf } from "../support/service.js";

const run = promisify(execFile);
const SETTINGS = {
  compilerOptions: {
    strict: true, target: "es2022", module: "nodenext", jsx: "react-jsx", lib: ["es2023", "dom", "dom.iterable"], types: ["node"],
    skipLibCheck: true, noUnusedLocals: false,
  },
};
const BEFORE = `
const [API, jwt, user] = process.argv.slice(2) as [string, string, string];
const accessToken = async () => jwt;
const userId = async () => user;
const shown: string[][] = [];
const show = (tasks: readonly Task[], lists: readonly TaskList[]) =>
  void shown.push([...tasks.map((task) => task.title), ...lists.map((list) => list.name)]);
`;
const BETWEEN = `
const { id } = store.createTask({ title: "Water the plants", due_date: "2026-12-31", recurrence: { rule: "FREQ=DAILY" } });
const { id: listId } = store.createList({ name: "Chores" });
await store.sync();
`;
const AFTER = `
unsubscribe();
await store.close();
process.stdout.write("\\n" + JSON.stringify({ dates: dates.length, trash: trash.length, last: shown.at(-1)!.sort() }));
`;
const AUTH = `
declare const authClient: {
  token(): Promise<{ data: { token: string } | null }>;
  getSession(): Promise<{ data: { user: { id: string } } | null }>;
};
`;
const RENDER = `
import { renderToString } from "react-dom/server";
import { createElement } from "react";
import { createClient, memoryStorage, TodoStore } from "todo-api-client";
import { Tasks } from "./tasks.js";
const user = "ann";
const client = createClient({ baseUrl: "http://127.0.0.1:1", token: async () => "" });
const store = await TodoStore.open({ client, user, storage: memoryStorage() });
store.createTask({ title: "Buy milk" });
console.log(renderToString(createElement(Tasks, { store })));
await store.close();
`;

let service: Service;
let folder: string;
before(async () => {
  service = await Service.start();
  folder = await mkdtemp(join(tmpdir(), "todo-readme-"));
  await mkdir(join(folder, "node_modules"));
  await symlink(resolve("."), join(folder, "node_modules", "todo-api-client"));
  for (const name of ["react", "react-dom", "@types"]) await symlink(resolve("node_modules", name), join(folder, "node_modules", name));
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(SETTINGS));
});
after(async () => {
  await service.stop();
  await rm(folder, { recursive: true });
});

test("the README's code compiles strictly and runs", async () => {
  const sections = ["## Five lines", "## Reads", "## Writes", "## What changed, and what went wrong", "## Requests"];
  const blocks = await Promise.all(sections.map((section) => blocksOf("README.md", "ts", section)));
  const [[first, auth], [reads], [writes], [events], [requests]] = blocks as [string[], string[], string[], string[], string[]];
  const [component] = await blocksOf("README.md", "tsx", "## React");
  const types = 'import type { Task, TaskList } from "todo-api-client";\n';
  const fiveLines = first!.replace('"http://127.0.0.1:8000"', "API");
  await writeFile(join(folder, "program.ts"), [types, BEFORE, fiveLines, BETWEEN, reads, writes, events, requests, AFTER].join("\n"));
  await writeFile(join(folder, "auth.ts"), `${AUTH}${auth}\nexport { accessToken, userId };`);
  await writeFile(join(folder, "tasks.tsx"), component!);
  await writeFile(join(folder, "render.ts"), RENDER);
  await run(resolve("node_modules/.bin/tsc"), [], { cwd: folder }).catch((error: { stdout: string }) => assert.fail(error.stdout));

  const user = randomUUID();
  const { stdout } = await run(process.execPath, ["program.js", service.url, tokenOf(user), user], { cwd: folder });
  const { dates, trash, last } = JSON.parse(stdout.trim().split("\n").at(-1)!);
  assert.deepEqual([dates, trash, last], [3, 0, ["Bread", "Buy milk", "Chores", "Food", "Water the plants"]]);
  const rendered = await run(process.execPath, ["render.js"], { cwd: folder });
  assert.match(rendered.stdout, /<label><input type="checkbox"\/>Buy milk<\/label> \(not sent yet\)/);
});

test("the pages of the project show the same five lines", async () => {
  const [fiveLines] = await blocksOf("README.md", "ts", "## Five lines");
  for (const page of ["../../README.md", "../../docs/sync.md"]) {
    const text = await readFile(page, "utf8").catch(() => undefined); // a copy of the package has no project around it
    if (text !== undefined) assert.ok(text.includes(fiveLines!), page);
  }
});
