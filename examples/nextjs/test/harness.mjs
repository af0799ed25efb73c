// Two servers, a browser, and people who sign up: what all tests use.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before } from "node:test";
import { chromium } from "playwright-core";
import { freePort, signUp, startApi, startDatabase, startFrontEnd } from "../scripts/stack.mjs";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
export const PASSWORD = "a-password-of-the-tests";

/** The running servers; `api` and `web` can be stopped and started by a test. */
export const stack = {};
const foreign = [];
const refused = [];
let browser;
let directory;

before(() => start().catch(fail));

async function start() {
  assert.ok(existsSync(CHROMIUM), `${CHROMIUM} is missing: install Debian's package chromium, or name another with CHROMIUM=…`);
  directory = await mkdtemp(path.join(tmpdir(), "todo-example-"));
  stack.database = await startDatabase(path.join(directory, "postgres"));
  stack.ports = { api: await freePort(), web: await freePort() };
  await startServers();
  browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

/** Without servers and a browser, each test would wait until its time is over. */
function fail(error) {
  console.error(error);
  process.exit(1);
}

after(async () => {
  await browser?.close();
  await stack.web?.stop();
  await stack.api?.stop();
  await stack.database?.stop();
  await rm(directory, { recursive: true, force: true });
});

export async function startServers() {
  await startTheApi();
  await startTheFrontEnd();
}

export async function startTheApi() {
  const frontEnd = `http://localhost:${stack.ports.web}`;
  stack.api = await startApi({ databaseUrl: stack.database.url, port: stack.ports.api, frontEnd, directory });
}

export async function startTheFrontEnd() {
  stack.web = await startFrontEnd({
    databaseUrl: stack.database.url, port: stack.ports.web, apiUrl: stack.api.url,
    secret: "a secret of the tests, which nobody else knows", environment: { AUTH_RATE_LIMIT: "off" },
  });
}

let people = 0;

/** A person with an account, and with an access token to call the API with. */
export async function newPerson(name = "Ann") {
  const person = { name, email: `${name.toLowerCase()}-${++people}@example.com`, password: PASSWORD };
  const token = await signUp(stack.web.url, person);
  return { ...person, token, call: (method, target, body) => call(token, method, target, body) };
}

async function call(token, method, target, body) {
  const response = await fetch(stack.api.url + target, {
    method,
    headers: { Authorization: `Bearer ${token}`, ...(body && { "Content-Type": "application/json" }) },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  assert.ok(response.ok, text);
  return text && JSON.parse(text);
}

/** A page in a browser of its own: with nothing that another one has stored. */
export async function newPage(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, timezoneId: "Europe/Berlin", ...options });
  context.setDefaultTimeout(30_000);
  context.on("request", (request) => {
    const url = new URL(request.url());
    if (!["localhost", "127.0.0.1"].includes(url.hostname) && url.protocol.startsWith("http")) foreign.push(request.url());
  });
  const page = await context.newPage();
  page.on("console", (message) => message.text().includes("Content Security Policy") && refused.push(message.text()));
  page.on("pageerror", (error) => assert.fail(`an error on the page: ${error.stack}`));
  return page;
}

/** A browser in which the person has signed in. */
export async function signIn(person, options) {
  const page = await newPage(options);
  await page.goto(`${stack.web.url}/sign-in`);
  await page.getByLabel("E-mail").fill(person.email);
  await page.getByLabel("Password").fill(person.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Inbox" }).waitFor();
  await isSaved(page);
  return page;
}

/** Check that axe finds nothing on the page, and that it fits the width of the screen. */
export async function isAccessible(page, name) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => axe.run());
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(", ")}`);
  assert.deepEqual(found, [], name);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `${name} is too wide`);
}

/** All requests that left this machine. */
export const foreignRequests = () => foreign;

/** What the content security policy of the page has stopped. */
export const stoppedByPolicy = () => refused;

export const row = (page, title) => page.getByRole("listitem").filter({ has: page.locator(".title", { hasText: title }) });
export const open = (page, title) => row(page, title).locator(".open").click();
export const detailsOf = (page) => page.getByRole("region", { name: "Task", exact: true });
export const show = (page, name) => page.locator(".side").getByRole("link", { name }).click();
export const isSaved = (page) => page.getByText("All changes are saved").waitFor();
export const titles = (page) => page.locator(".task .title").allTextContents();

export async function addTask(page, title) {
  await page.getByLabel("New task").fill(title);
  await page.keyboard.press("Enter");
  await row(page, title).waitFor();
}

/** Wait until a condition holds. */
export async function eventually(condition, seconds = 30) {
  const end = Date.now() + 1000 * seconds;
  for (;;) {
    try {
      return await condition();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
