// Starts the parts of the example, for `make example` and its tests: a database, the API, and the front end.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";

export const EXAMPLE = path.join(import.meta.dirname, "..");
const REPOSITORY = path.join(EXAMPLE, "../..");
const PYTHON = path.resolve(REPOSITORY, process.env.VENV ?? ".venv", "bin/python");
const children = new Set();

process.on("exit", () => children.forEach((child) => child.kill("SIGKILL")));

/** Start the embedded PostgreSQL of the API, and return its URL. It stops with this process. */
export async function startDatabase(directory) {
  const program = [
    "import sys, pathlib, todo_api.dev.postgres as postgres",
    "with postgres.open_server(pathlib.Path(sys.argv[1])) as url: print(url, flush=True); sys.stdin.read()",
  ].join("\n");
  const child = run(PYTHON, ["-c", program, directory], {}, ["pipe", "pipe", "inherit"]);
  const [url] = await Promise.race([once(createInterface(child.stdout), "line"), failure(child, "PostgreSQL")]);
  return { url, stop: () => stop(child, () => child.stdin.end()) };
}

/** Start `todo-api dev` for a front end, and wait until it answers. */
export async function startApi({ databaseUrl, port, frontEnd, directory }) {
  const environment = {
    DATABASE_URL: databaseUrl, DATA_DIR: directory, HOST: "127.0.0.1", PORT: String(port),
    BETTER_AUTH_URL: frontEnd, CORS_ORIGINS: frontEnd, BETTER_AUTH_SECRET: "",
  };
  const arguments_ = ["-m", "todo_api", "dev", `--exit-with-parent=${process.pid}`];
  const child = run(PYTHON, arguments_, environment, ["ignore", "ignore", "inherit"]);
  const url = `http://127.0.0.1:${port}`;
  await Promise.race([answers(`${url}/health/ready`), failure(child, "the API")]);
  return { url, stop: () => stop(child), kill: () => stop(child, () => child.kill("SIGKILL")) };
}

/** Start the production build of the front end, or else `next dev`, and wait until it answers. */
export async function startFrontEnd({ databaseUrl, port, apiUrl, secret, isDevelopment = false, environment = {} }) {
  const url = `http://localhost:${port}`;
  const settings = {
    DATABASE_URL: databaseUrl, API_URL: apiUrl, BETTER_AUTH_URL: url, BETTER_AUTH_SECRET: secret,
    NEXT_TELEMETRY_DISABLED: "1", ...environment,
  };
  const next = path.join(EXAMPLE, "node_modules/next/dist/bin/next");
  const arguments_ = [next, isDevelopment ? "dev" : "start", "-H", "127.0.0.1", "-p", String(port)];
  const child = run(process.execPath, arguments_, settings, ["ignore", "ignore", "inherit"]);
  await Promise.race([answers(`${url}/sign-in`), failure(child, "the front end")]);
  return { url, stop: () => stop(child) };
}

/** Fail if something listens on the port already. */
export async function expectFree(port, variable) {
  const server = createServer().listen(port, "127.0.0.1");
  const [error] = await Promise.race([once(server, "listening"), once(server, "error")]).catch((reason) => [reason]);
  if (error) throw new Error(`port ${port} cannot be used (${error.code}): choose another one with ${variable}`);
  await new Promise((resolve) => server.close(resolve));
}

export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
}

/** Sign a new person up, and return an access token of the API; undefined if there is one with this e-mail. */
export async function signUp(frontEnd, person) {
  const headers = { "Content-Type": "application/json", Origin: frontEnd };
  const body = JSON.stringify(person);
  const response = await fetch(`${frontEnd}/api/auth/sign-up/email`, { method: "POST", headers, body });
  if (response.status === 422) return undefined;
  if (!response.ok) throw new Error(`sign-up: status ${response.status}: ${await response.text()}`);
  const cookie = response.headers.getSetCookie().map((one) => one.split(";")[0]).join("; ");
  return (await (await fetch(`${frontEnd}/api/auth/token`, { headers: { cookie } })).json()).token;
}

function run(command, arguments_, environment, stdio) {
  const child = spawn(command, arguments_, { cwd: EXAMPLE, env: { ...process.env, ...environment }, stdio });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

async function stop(child, ask = () => child.kill("SIGTERM")) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  ask();
  await ended;
}

async function failure(child, name) {
  const [status] = await once(child, "exit");
  throw new Error(`${name} ended with status ${status}`);
}

async function answers(url) {
  for (;;) {
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
