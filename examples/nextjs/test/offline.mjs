import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addTask, detailsOf, eventually, isSaved, newPerson, open, row, show, signIn, stack, startServers,
  startTheApi, titles,
} from "./harness.mjs";

/** Wait until the service worker has kept the page and its files, and empty the browser's own cache. */
async function isKept(page) {
  await page.locator("html[data-kept]").waitFor();
  const session = await page.context().newCDPSession(page);
  await session.send("Network.clearBrowserCache");
}

const stored = async (person) => {
  const tasks = await person.call("GET", "/api/tasks?sort=position");
  return tasks.map((task) => `${task.title}${task.completed ? " (done)" : ""}`);
};

test("without a network the page opens, adds, changes and completes, and all of it arrives later", async () => {
  const person = await newPerson();
  for (const title of ["Bread", "Milk"]) await person.call("POST", "/api/tasks", { title });
  const page = await signIn(person);
  await row(page, "Milk").waitFor();
  await isKept(page);

  await page.context().setOffline(true);
  await page.reload();
  await row(page, "Milk").waitFor();
  await page.getByText("Offline.").waitFor();
  await addTask(page, "Butter");
  await row(page, "Butter").getByText("Not saved yet").waitFor();
  await open(page, "Milk");
  await detailsOf(page).getByLabel("Title").fill("Oat milk");
  await row(page, "Oat milk").getByText("Not saved yet").waitFor();
  await row(page, "Bread").getByRole("checkbox").click();
  await row(page, "Bread").waitFor({ state: "detached" });
  await page.getByText("Offline: 3 changes have not arrived").waitFor();

  await page.reload(); // what has not arrived survives it
  await page.getByText("Offline: 3 changes have not arrived").waitFor();
  assert.deepEqual(await titles(page), ["Oat milk", "Butter"]);
  assert.deepEqual(await stored(person), ["Bread", "Milk"]);

  await page.context().setOffline(false);
  await isSaved(page);
  assert.equal(await page.getByText("Not saved yet").count(), 0);
  assert.deepEqual(await stored(person), ["Bread (done)", "Oat milk", "Butter"]);
});

test("with both servers killed the page opens and adds, and the task arrives once", async () => {
  const person = await newPerson();
  const page = await signIn(person);
  await addTask(page, "Before");
  await isSaved(page);
  await isKept(page);
  await Promise.all([stack.api.kill(), stack.web.stop()]);
  await page.reload();
  await row(page, "Before").waitFor();
  await addTask(page, "Meanwhile");
  await page.getByText("Offline: 1 change has not arrived").waitFor();
  await startServers();
  await page.getByText("All changes are saved").waitFor({ timeout: 30_000 });
  assert.deepEqual(await stored(person), ["Before", "Meanwhile"]);
});

test("a change during which the API is killed arrives once", async () => {
  const person = await newPerson();
  const page = await signIn(person);
  for (let number = 1; number <= 3; number++) {
    await addTask(page, `Task ${number}`);
    await stack.api.kill();
    await startTheApi();
  }
  await page.getByText("All changes are saved").waitFor({ timeout: 30_000 });
  assert.deepEqual(await stored(person), ["Task 1", "Task 2", "Task 3"]);
});

test("what the server refuses is said in words, and what was typed is shown", async () => {
  const person = await newPerson();
  await person.call("POST", "/api/tasks", { title: "Too often", due_date: "2030-01-01" });
  const page = await signIn(person);
  await open(page, "Too often");
  const details = detailsOf(page);
  await details.getByLabel("How often").selectOption("Another rule");
  await details.getByLabel("Rule", { exact: true }).fill("FREQ=HOURLY");
  await page.keyboard.press("Enter");
  const message = page.getByRole("status", { name: "Messages" });
  await message.getByText("“Too often” was not changed:").waitFor();
  assert.match(await message.textContent(), /FREQ=HOURLY/);
  assert.equal((await person.call("GET", "/api/tasks"))[0].recurrence, null);
});

test("a refused new task can be sent again", async () => {
  const person = await newPerson();
  const tasks = Array.from({ length: 100 }, (_, number) => ({ op: "create", title: `Task ${number}` }));
  for (let batch = 0; batch < 100; batch++) await person.call("POST", "/api/tasks/batch", { operations: tasks });
  const page = await signIn(person);
  await page.getByLabel("New task").fill("One too many");
  await page.keyboard.press("Enter");
  const message = page.getByRole("status", { name: "Messages" });
  await message.getByText("“One too many” was not added").waitFor();
  const [first] = await person.call("GET", "/api/tasks?limit=1");
  await person.call("DELETE", `/api/tasks/${first.id}`);
  await message.getByRole("button", { name: "Try again" }).click();
  await isSaved(page);
  await eventually(async () => assert.equal((await person.call("GET", "/api/tasks?limit=1"))[0].title, "One too many"));
});

test("text that was just typed survives a reload", async () => {
  const person = await newPerson();
  const page = await signIn(person);
  await addTask(page, "Letter");
  await open(page, "Letter");
  await detailsOf(page).getByLabel("Description").fill("Dear Kim");
  await page.reload();
  assert.equal(await detailsOf(page).getByLabel("Description").inputValue(), "Dear Kim");
});

test("when the session has ended, changes wait until the person signs in again", async () => {
  const person = await newPerson();
  const page = await signIn(person);
  await page.context().clearCookies();
  await page.reload();
  await page.getByText("Your session has ended.").waitFor();
  const tab = await page.context().newPage();
  await tab.goto(stack.web.url);
  await tab.getByText("Your session has ended.").waitFor();
  await tab.close();
  await addTask(page, "Kept");
  await page.getByRole("button", { name: "Sign in again" }).click();
  await page.getByLabel("E-mail").fill(person.email);
  await page.getByLabel("Password").fill(person.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await isSaved(page);
  await show(page, "Inbox");
  await row(page, "Kept").waitFor();
  assert.deepEqual(await stored(person), ["Kept"]);
});

test("signing out warns before changes would be lost", async () => {
  const person = await newPerson();
  const page = await signIn(person);
  await stack.api.stop();
  await addTask(page, "Not there yet");
  await show(page, "Ann");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("1 change has not arrived at the server, and would be lost.").waitFor();
  await startTheApi();
  await page.getByText("All changes are saved").waitFor({ timeout: 30_000 });
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  assert.deepEqual(await stored(person), ["Not there yet"]);
});
