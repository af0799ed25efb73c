import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { addSample } from "../scripts/sample.mjs";
import { EXAMPLE } from "../scripts/stack.mjs";
import {
  addTask, detailsOf, eventually, foreignRequests, isAccessible, isSaved, newPage, newPerson, open, row, show, signIn,
  stack, stoppedByPolicy,
} from "./harness.mjs";

const SCREENSHOTS = process.env.SCREENSHOTS ?? path.join(EXAMPLE, ".next/screenshots");
const LOOKS = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  phone: { colorScheme: "light", viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
};

for (const [look, options] of Object.entries(LOOKS)) {
  test(`axe finds nothing on any page: ${look}`, async () => {
    await mkdir(SCREENSHOTS, { recursive: true });
    const picture = (page, name) => page.screenshot({ path: path.join(SCREENSHOTS, `example-${name}-${look}.png`) });
    for (const name of ["sign-in", "sign-up"]) {
      const page = await newPage(options);
      await page.goto(`${stack.web.url}/${name}`);
      await isAccessible(page, name);
    }

    const person = await newPerson();
    await addSample(stack.api.url, person.token);
    const page = await signIn(person, options);
    const go = async (name) => {
      if (look === "phone") await page.getByRole("button", { name: "Lists", exact: true }).click();
      await show(page, name);
    };
    await row(page, "Read the README").waitFor();
    await isAccessible(page, "inbox");
    await picture(page, "inbox");
    for (const view of ["Today", "Overdue", "Upcoming", "All tasks", "Trash", "Ann"]) {
      await go(view);
      await page.getByRole("main").getByRole("heading", { level: 1 }).waitFor();
      await isAccessible(page, view);
    }
    await go("Home");
    await page.getByText("Change list").click();
    await isAccessible(page, "list");
    await page.getByText("Change list").click();
    await open(page, "Water the plants");
    await page.getByText("Then: ").waitFor();
    await isAccessible(page, "details");
    await picture(page, "details");
    await page.getByRole("button", { name: "Delete task" }).click();
    await page.getByText("was moved to the trash").waitFor();
    await isAccessible(page, "message");
    await page.context().setOffline(true);
    await addTask(page, "Written on the train");
    await row(page, "Written on the train").getByText("Not saved yet").waitFor();
    await page.getByText("Offline:").waitFor();
    await isAccessible(page, "offline");
    await picture(page, "offline");
  });
}

test("a task is added, opened, changed and completed by the keyboard alone", async () => {
  const person = await newPerson();
  const page = await signIn(person);
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  const focused = () => page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent);
  const tabTo = async (target) => {
    for (let presses = 0; presses < 60; presses++) {
      await press("Tab");
      if (await target.evaluate((element) => element === document.activeElement).catch(() => false)) return;
    }
    assert.fail(`the Tab key does not lead to ${target}, but to ${await focused()}`);
  };
  await tabTo(page.getByLabel("New task"));
  await page.keyboard.type("First");
  await press("Enter");
  await page.keyboard.type("Second");
  await press("Enter");
  await row(page, "Second").waitFor();
  await tabTo(row(page, "First").locator(".open"));
  await press("ArrowDown");
  await eventually(async () => assert.match(await focused(), /^Second/));
  await press("Enter");
  const title = detailsOf(page).getByLabel("Title");
  await tabTo(title);
  await press("ControlOrMeta+a");
  await page.keyboard.type("Changed");
  await press("Escape");
  await eventually(async () => assert.match(await focused(), /^Changed/));
  await press("Shift+Tab", "Space");
  await row(page, "Changed").waitFor({ state: "detached" });
  await tabTo(page.getByRole("button", { name: "Undo" }));
  await press("Enter");
  await row(page, "Changed").waitFor();
  await isSaved(page);
});

test("nothing moves for people who want less motion", async () => {
  const person = await newPerson();
  const page = await signIn(person, { reducedMotion: "reduce" });
  await addTask(page, "Still");
  const style = await row(page, "Still").evaluate((element) => {
    element.style.transition = "transform 200ms"; // as dnd-kit sets it
    return getComputedStyle(element).transitionDuration;
  });
  assert.equal(style, "0s");
});

test("no request has left this machine, and the page's policy has stopped nothing", () => {
  assert.deepEqual(foreignRequests(), []);
  assert.deepEqual(stoppedByPolicy(), []);
});
