// The page at `/` of the API, which it has in development.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isAccessible, newPage, stack } from "./harness.mjs";

for (const colorScheme of ["light", "dark"]) {
  test(`the API's own page adds a task, shows it live, and copies its token: ${colorScheme}`, async () => {
    const page = await newPage({ colorScheme, permissions: ["clipboard-read", "clipboard-write"] });
    await page.goto(stack.api.url);
    await page.getByText("Connected.").waitFor();
    const title = `Task in the ${colorScheme}`;
    await page.getByLabel("New task").fill(title);
    await page.keyboard.press("Enter");
    await page.locator("#events").getByText(`Task added: ${title}`).waitFor();
    assert.equal(await page.locator("#tasks li").first().textContent(), title);
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    const token = await page.evaluate(() => navigator.clipboard.readText());
    const headers = { Authorization: `Bearer ${token}` };
    const [first] = await (await fetch(`${stack.api.url}/api/tasks?limit=1`, { headers })).json();
    assert.equal(first.title, title);
    await isAccessible(page, "/");
  });
}
