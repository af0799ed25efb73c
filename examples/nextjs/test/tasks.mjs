import assert from "node:assert/strict";
import { test } from "node:test";
import { addTask, detailsOf, eventually, isSaved, newPerson, open, row, show, signIn, titles } from "./harness.mjs";

const DETAILS = { exact: true };

/** The only task of the person, as the API has it. */
async function stored(person) {
  const tasks = await person.call("GET", "/api/tasks");
  assert.equal(tasks.length, 1);
  return tasks[0];
}

test("each field of a task can be changed", async () => {
  const person = await newPerson();
  await person.call("POST", "/api/lists", { name: "Home" });
  const page = await signIn(person);
  await addTask(page, "Draft");
  await open(page, "Draft");
  const details = detailsOf(page);
  await details.getByLabel("Title", DETAILS).fill("Paint the fence");
  await details.getByLabel("Description").fill("Two coats");
  await details.getByLabel("Priority").selectOption("High");
  await details.getByLabel("List", DETAILS).selectOption("Home");
  for (const tag of ["garden", "summer", "wrong"]) {
    await details.getByLabel("New tag").fill(tag);
    await page.keyboard.press("Enter");
  }
  await details.getByRole("button", { name: "Remove the tag “wrong”" }).click();
  for (const item of ["Brush", "Paint"]) {
    await details.getByLabel("New checklist item").fill(item);
    await page.keyboard.press("Enter");
  }
  await details.getByLabel("Tick “Paint”").check();
  await details.getByLabel("Text of “Brush”").fill("Broad brush");
  await details.getByLabel("Kind").selectOption("A day");
  await details.getByLabel("Date", DETAILS).fill("2030-05-17");
  await page.keyboard.press("Enter");
  await details.getByLabel("How often").selectOption("Every week");
  await details.getByLabel("Count from").selectOption("the day it is completed");
  await isSaved(page);

  await eventually(async () => {
    const [list] = await person.call("GET", "/api/lists");
    const { title, description, priority, list_id, tags, checklist, due_date, recurrence } = await stored(person);
    assert.deepEqual({ title, description, priority, list_id, tags, due_date, recurrence }, {
      title: "Paint the fence", description: "Two coats", priority: "high", list_id: list.id,
      tags: ["garden", "summer"], due_date: "2030-05-17",
      recurrence: { rule: "FREQ=WEEKLY", from: "completion", time_zone: "Europe/Berlin" },
    });
    assert.deepEqual(checklist.map((item) => [item.title, item.completed]), [["Broad brush", false], ["Paint", true]]);
  });
});

test("a due date keeps its kind", async () => {
  const person = await newPerson();
  const page = await signIn(person);
  await addTask(page, "Meet");
  await open(page, "Meet");
  const details = detailsOf(page);
  const due = () => stored(person).then((task) => task.due_date);
  for (const [kind, label, typed, expected] of [
    ["A time, wherever you are", "Date and time", "2030-05-17T17:30", "2030-05-17T17:30:00"],
    ["An exact moment", "Date and time", "2030-05-17T17:30", "2030-05-17T15:30:00Z"],
    ["A day", "Date", "2030-05-18", "2030-05-18"],
  ]) {
    await details.getByLabel("Kind").selectOption(kind);
    await details.getByLabel(label, DETAILS).fill(typed);
    await page.keyboard.press("Enter");
    await eventually(async () => assert.equal(await due(), expected));
  }
  await details.getByLabel("Kind").selectOption("No date");
  await eventually(async () => assert.equal(await due(), null));
});

test("a task that repeats shows its next dates, and the next one comes when it is completed", async () => {
  const person = await newPerson();
  await person.call("POST", "/api/tasks", { title: "Water the plants", due_date: "2030-01-07" });
  const page = await signIn(person);
  await open(page, "Water the plants");
  const details = detailsOf(page);
  await details.getByLabel("How often").selectOption("Another rule");
  await details.getByLabel("Rule", DETAILS).fill("FREQ=WEEKLY;BYDAY=MO,TH");
  await page.keyboard.press("Enter");
  await details.getByText("Then: Thu, Jan 10, 2030; Mon, Jan 14, 2030; Thu, Jan 17, 2030; Mon, Jan 21, 2030").waitFor();
  await row(page, "Water the plants").getByRole("checkbox").click();
  await row(page, "Water the plants").getByText("Thu, Jan 10, 2030").waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await row(page, "Water the plants").getByText("Mon, Jan 7, 2030").waitFor();
  await eventually(async () => assert.equal(await row(page, "Water the plants").count(), 1)); // the next one is gone

  await open(page, "Water the plants");
  await details.getByRole("button", { name: "Skip this date" }).click();
  await row(page, "Water the plants").getByText("Thu, Jan 10, 2030").waitFor();
  assert.equal(await row(page, "Water the plants").count(), 1);
});

test("today, overdue and upcoming follow the person's time zone", async () => {
  const person = await newPerson();
  const dayIn = (zone, days) => new Date(Date.now() + days * 86_400_000).toLocaleDateString("sv", { timeZone: zone });
  // Kiritimati and Pago Pago are 25 hours apart: it is never the same day in both.
  const [early, late] = ["Pacific/Kiritimati", "Pacific/Pago_Pago"];
  await person.call("POST", "/api/tasks", { title: "Day there", due_date: dayIn(early, 0) });
  await person.call("POST", "/api/tasks", { title: "Day here", due_date: dayIn(late, 0) });
  await person.call("POST", "/api/tasks", { title: "Moment", due_date: new Date(Date.now() - 3_600_000).toISOString() });
  for (const [timezoneId, today] of [[early, "Day there"], [late, "Day here"]]) {
    const page = await signIn(person, { timezoneId });
    await show(page, "Today");
    await row(page, today).waitFor();
    assert.equal(await row(page, timezoneId === early ? "Day here" : "Day there").count(), 0);
    await show(page, "Overdue");
    await row(page, "Moment").waitFor();
    assert.equal(await row(page, "Day here").count(), timezoneId === early ? 1 : 0);
    await show(page, "Upcoming");
    assert.deepEqual(await titles(page), timezoneId === early ? [] : ["Day there"]);
  }
});

test("search finds words while they are typed", async () => {
  const person = await newPerson();
  for (const title of ["Buy milk", "Café with Łukasz", "Call the mill"]) await person.call("POST", "/api/tasks", { title });
  const page = await signIn(person);
  const search = page.getByLabel("Search");
  for (const [typed, expected] of [
    ["mil", ["Buy milk", "Call the mill"]],
    ["mill", ["Call the mill"]],
    ["cafe luk", ["Café with Łukasz"]],
  ]) {
    await search.fill("");
    await search.pressSequentially(typed);
    await eventually(async () => assert.deepEqual(await titles(page), expected));
  }
  await search.fill("xyz");
  await page.getByText("No task has “xyz”.").waitFor();
});

test("tasks are put in order by dragging and by the keyboard, and the order arrives", async () => {
  const person = await newPerson();
  for (const title of ["One", "Two", "Three"]) await person.call("POST", "/api/tasks", { title });
  const page = await signIn(person);
  await row(page, "Three").waitFor();
  const from = await row(page, "One").locator(".handle").boundingBox();
  const to = await row(page, "Three").locator(".handle").boundingBox();
  await page.mouse.move(from.x + 5, from.y + 5);
  await page.mouse.down();
  await page.mouse.move(from.x + 5, from.y + 30, { steps: 5 });
  await page.mouse.move(to.x + 5, to.y + to.height - 2, { steps: 10 });
  await page.mouse.up();
  await eventually(async () => assert.deepEqual(await titles(page), ["Two", "Three", "One"]));

  await row(page, "One").locator(".handle").focus();
  await page.keyboard.press("ArrowUp");
  await page.getByText("“One” is at place 2 of 3.").waitFor();
  await eventually(async () => assert.deepEqual(await titles(page), ["Two", "One", "Three"]));
  await eventually(async () => {
    const focused = await page.evaluate(() => document.activeElement.getAttribute("aria-label"));
    assert.equal(focused, "Move “One”: drag, or press the arrow keys");
  });
  await page.keyboard.press("ArrowUp");
  await isSaved(page);
  await eventually(async () => {
    const order = (await person.call("GET", "/api/tasks?sort=position")).map((task) => task.title);
    assert.deepEqual(order, ["One", "Two", "Three"]);
  });
});

test("completing and deleting can be undone, and the trash restores and deletes for good", async () => {
  const person = await newPerson();
  const page = await signIn(person);
  await addTask(page, "Keep me");
  await row(page, "Keep me").getByRole("checkbox").click();
  await row(page, "Keep me").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Undo" }).click();
  await row(page, "Keep me").waitFor();

  await open(page, "Keep me");
  await page.getByRole("button", { name: "Delete task" }).click();
  await row(page, "Keep me").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Undo" }).click();
  await row(page, "Keep me").waitFor();

  await open(page, "Keep me");
  await page.getByRole("button", { name: "Delete task" }).click();
  await show(page, "Trash");
  await page.getByRole("button", { name: "Restore “Keep me”" }).click();
  await show(page, "Inbox");
  await open(page, "Keep me");
  await page.getByRole("button", { name: "Delete task" }).click();
  await show(page, "Trash");
  await page.getByRole("button", { name: "Delete “Keep me” for good" }).click();
  await page.getByText("The trash is empty.").waitFor();
  assert.deepEqual(await person.call("GET", "/api/tasks/trash"), []);
});

test("lists are made, renamed, ordered and deleted, with their tasks or without", async () => {
  const person = await newPerson();
  const page = await signIn(person);
  const names = () => page.locator(".side .name").allTextContents();
  for (const name of ["Home", "Work"]) {
    await page.getByLabel("New list").fill(name);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name }).waitFor();
    await addTask(page, `${name} task`);
  }
  await page.getByText("Change list").click();
  await page.getByLabel("Name").fill("Office");
  await page.getByRole("heading", { name: "Office" }).waitFor();
  await page.getByRole("button", { name: "Move up" }).click();
  await eventually(async () => assert.deepEqual(await names(), ["Office", "Home"]));
  await page.getByRole("button", { name: "Delete list and tasks" }).click();
  await eventually(async () => assert.deepEqual(await names(), ["Home"]));
  await page.getByRole("button", { name: "Undo" }).click();
  await eventually(async () => assert.deepEqual(await names(), ["Office", "Home"]));
  await show(page, "Office");
  await row(page, "Work task").waitFor();
  await show(page, "Home");
  await page.getByText("Change list").click();
  await page.getByRole("button", { name: "Delete list, keep its tasks" }).click();
  await row(page, "Home task").waitFor(); // in the inbox
  await isSaved(page);
  await eventually(async () => {
    const lists = await person.call("GET", "/api/lists");
    assert.deepEqual(lists.map((list) => list.name), ["Office"]);
  });
});
