import assert from "node:assert/strict";
import { test } from "node:test";
import { addTask, detailsOf, eventually, isSaved, newPerson, open, row, show, signIn, stack, titles } from "./harness.mjs";

const LIMIT = 2000; // milliseconds in which another browser shows a change
const TASKS = 10_000;

test("two browsers show each other's changes within two seconds", async (context) => {
  const person = await newPerson();
  const [laptop, phone] = [await signIn(person), await signIn(person, { viewport: { width: 390, height: 844 } })];
  for (const [here, there, title] of [[laptop, phone, "From the laptop"], [phone, laptop, "From the phone"]]) {
    const started = Date.now();
    await addTask(here, title);
    await row(there, title).waitFor();
    const elapsed = Date.now() - started;
    context.diagnostic(`${title}: shown elsewhere after ${elapsed} ms`);
    assert.ok(elapsed < LIMIT, `${elapsed} ms`);
  }
  const started = Date.now();
  await row(laptop, "From the phone").getByRole("checkbox").click();
  await row(phone, "From the phone").waitFor({ state: "detached" });
  assert.ok(Date.now() - started < LIMIT);
});

test("another person's browser shows none of it", async () => {
  const [ann, bob] = [await newPerson("Ann"), await newPerson("Bob")];
  const [hers, his] = [await signIn(ann), await signIn(bob)];
  await addTask(hers, "Secret");
  await isSaved(hers);
  await addTask(his, "Visible");
  await isSaved(his);
  assert.deepEqual(await titles(his), ["Visible"]);
});

test("changes to different fields are merged; of the same field, the other text is not lost", async () => {
  const person = await newPerson();
  await person.call("POST", "/api/tasks", { title: "Plan" });
  const [one, other] = [await signIn(person), await signIn(person)];
  await Promise.all([open(one, "Plan"), open(other, "Plan")]);
  await one.context().setOffline(true);
  await detailsOf(one).getByLabel("Description").fill("By train");
  await detailsOf(one).getByLabel("Priority").selectOption("High");
  await one.getByText("Offline: 2 changes have not arrived").waitFor();
  await detailsOf(other).getByLabel("Description").fill("By ship");
  await eventually(async () => assert.equal((await person.call("GET", "/api/tasks"))[0].description, "By ship"));
  await one.context().setOffline(false);
  await isSaved(one);
  const message = one.getByRole("status", { name: "Messages" });
  await message.getByText("Another device changed the description of “Plan” too.").waitFor();
  assert.match(await message.textContent(), /By (ship|train)/);
  await eventually(async () => {
    const [task] = await person.call("GET", "/api/tasks");
    assert.equal(task.priority, "high");
    assert.equal(task.description, "By train");
  });
  await message.getByRole("button", { name: "Use it instead" }).click();
  await eventually(async () => assert.equal((await person.call("GET", "/api/tasks"))[0].description, "By ship"));
});

test("text typed into a task that was deleted elsewhere is shown, and can restore it", async () => {
  const person = await newPerson();
  const { id } = await person.call("POST", "/api/tasks", { title: "Contested" });
  const page = await signIn(person);
  await open(page, "Contested");
  const description = detailsOf(page).getByLabel("Description");
  await description.pressSequentially("Still needed");
  await person.call("DELETE", `/api/tasks/${id}`);
  const message = page.getByRole("status", { name: "Messages" });
  await message.getByText("Still needed").waitFor();
  await message.getByRole("button", { name: /Restore it with this change|Try again/ }).click();
  await isSaved(page);
  await eventually(async () => assert.equal((await person.call("GET", "/api/tasks"))[0].description, "Still needed"));
});

test("of two tabs, the other goes on when the one that is connected closes", async () => {
  const person = await newPerson();
  const first = await signIn(person);
  const second = await first.context().newPage();
  await second.goto(stack.web.url);
  await second.getByText("All changes are saved").waitFor();
  await addTask(first, "From the first tab");
  await row(second, "From the first tab").waitFor();
  await first.close();
  await addTask(second, "From the second tab");
  await isSaved(second);
  await person.call("POST", "/api/tasks", { title: "From elsewhere" });
  await row(second, "From elsewhere").waitFor();
});

test("ten thousand tasks scroll without a stutter", async (context) => {
  const person = await newPerson();
  for (let batch = 0; batch < TASKS / 100; batch++) {
    const operations = Array.from({ length: 100 }, (_, number) => ({ op: "create", title: `Task ${batch * 100 + number + 1}` }));
    await person.call("POST", "/api/tasks/batch", { operations });
  }
  const page = await signIn(person);
  await row(page, "Task 1").first().waitFor();
  await page.getByText("10,000").first().waitFor();
  const { gaps, most } = await page.evaluate(scrollFor, 4000);
  gaps.sort((a, b) => a - b);
  const at = (share) => Math.round(gaps[Math.floor(gaps.length * share)]);
  context.diagnostic(`${gaps.length} frames, median ${at(0.5)} ms, p95 ${at(0.95)} ms, longest ${at(0.999)} ms, ${most} rows`);
  assert.ok(most < 60, `${most} rows in the document`);
  assert.ok(at(0.5) <= 34, `a median of ${at(0.5)} ms`);
  assert.ok(at(0.95) <= 100, `a p95 of ${at(0.95)} ms`);

  await page.getByLabel("Search").fill("9999");
  await eventually(async () => assert.deepEqual(await titles(page), ["Task 9999"]));
  await show(page, "All tasks");
  await page.getByRole("heading", { name: "All tasks" }).waitFor();
  await eventually(async () => {
    await page.locator(".scroller").evaluate((list) => list.scrollTo(0, list.scrollHeight));
    assert.equal((await titles(page)).at(-1), "Task 10000");
  });
});

/** Scroll the list, and return the milliseconds between frames, and the most rows that were in the document. */
function scrollFor(duration) {
  const list = document.querySelector(".scroller");
  const gaps = [];
  let most = 0;
  return new Promise((resolve) => {
    let last = performance.now();
    const end = last + duration;
    requestAnimationFrame(function frame(now) {
      gaps.push(now - last);
      last = now;
      list.scrollTop += 120;
      most = Math.max(most, list.querySelectorAll("li").length);
      if (now < end) requestAnimationFrame(frame);
      else resolve({ gaps: gaps.slice(1), most });
    });
  });
}
