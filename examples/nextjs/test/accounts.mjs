import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { addTask, isSaved, newPage, newPerson, PASSWORD, row, show, signIn, stack, startTheApi, titles } from "./harness.mjs";

test("a person signs up, signs out and signs in", async () => {
  const page = await newPage();
  await page.goto(stack.web.url);
  await page.getByRole("link", { name: "Sign up" }).click();
  await page.getByLabel("Name").fill("Zoe");
  await page.getByLabel("E-mail").fill("zoe@example.com");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign up" }).click();
  await addTask(page, "First");
  await isSaved(page);

  await show(page, "Zoe");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  assert.deepEqual(await page.evaluate(async () => (await indexedDB.databases()).map((one) => one.name)), []);
  await page.goto(stack.web.url);
  await page.getByLabel("E-mail").fill("zoe@example.com");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await row(page, "First").waitFor();
});

test("a wrong password is said in words, and what was typed stays", async () => {
  const person = await newPerson();
  const page = await newPage();
  await page.goto(`${stack.web.url}/sign-in`);
  await page.getByLabel("E-mail").fill(person.email);
  await page.getByLabel("Password").fill("something else");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("No account has this e-mail and password").waitFor();
  assert.equal(await page.getByLabel("E-mail").inputValue(), person.email);
  assert.equal(await page.getByLabel("Password").inputValue(), "something else");
});

test("two people see their own tasks, also in the same browser", async () => {
  const [ann, bob] = [await newPerson("Ann"), await newPerson("Bob")];
  await ann.call("POST", "/api/tasks", { title: "Ann's task" });
  const page = await signIn(ann);
  await row(page, "Ann's task").waitFor();
  await show(page, "Ann");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("E-mail").fill(bob.email);
  await page.getByLabel("Password").fill(bob.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await addTask(page, "Bob's task");
  assert.deepEqual(await titles(page), ["Bob's task"]);
  await isSaved(page);
  assert.deepEqual((await ann.call("GET", "/api/tasks")).map((task) => task.title), ["Ann's task"]);
});

test("what one account exports, another one imports", async () => {
  const [ann, bob] = [await newPerson("Ann"), await newPerson("Bob")];
  await ann.call("POST", "/api/tasks", { title: "Travels", tags: ["far"] });
  const page = await signIn(ann);
  await show(page, "Ann");
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Export all tasks as a file" }).click(),
  ]);
  const file = await download.path();
  assert.match(download.suggestedFilename(), /^tasks-\d{4}-\d\d-\d\d\.json$/);
  assert.ok(JSON.parse(await readFile(file, "utf8")).tasks);

  const other = await signIn(bob);
  await show(other, "Bob");
  await other.getByLabel("Import a file that was exported").setInputFiles(file);
  await other.getByText("1 imported, 0 were there already").waitFor();
  await show(other, "Inbox");
  await row(other, "Travels").waitFor();

  await show(other, "Bob");
  const wrong = { name: "holiday.json", mimeType: "application/json", buffer: Buffer.from("no tasks") };
  await other.getByLabel("Import a file that was exported").setInputFiles(wrong);
  await other.getByText("“holiday.json” was not imported").waitFor();
});

test("erasing the account erases its tasks, and needs the password", async () => {
  const person = await newPerson();
  await person.call("POST", "/api/tasks", { title: "Gone soon" });
  const page = await signIn(person);
  await row(page, "Gone soon").waitFor();
  await show(page, "Ann");
  await page.getByLabel("Your password").fill("something else");
  await page.getByRole("button", { name: "Delete the account and all tasks" }).click();
  await page.getByText("This is not your password. Nothing was deleted.").waitFor();
  await page.getByLabel("Your password").fill(person.password);
  await page.getByRole("button", { name: "Delete the account and all tasks" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();

  assert.deepEqual(await person.call("GET", "/api/tasks"), []);
  await page.goto(`${stack.web.url}/sign-in`);
  await page.getByLabel("E-mail").fill(person.email);
  await page.getByLabel("Password").fill(person.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("No account has this e-mail and password").waitFor();
});

test("an account whose tasks cannot be erased stays", async () => {
  const person = await newPerson();
  const page = await signIn(person);
  await show(page, "Ann");
  await page.getByLabel("Your password").fill(person.password);
  await stack.api.stop();
  await page.getByRole("button", { name: "Delete the account and all tasks" }).click();
  await page.getByText("The account was not deleted").waitFor();
  await startTheApi();
  await page.getByRole("button", { name: "Delete the account and all tasks" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
});
