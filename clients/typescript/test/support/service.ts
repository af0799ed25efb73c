import { type ChildProcess, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const SECRET = "a secret of the tests with more than 32 characters";
// TODO_API is the command of the service, if it is elsewhere.
const COMMAND = process.env["TODO_API"] ?? resolve("../../.venv/bin/todo-api");

// The address of a service that runs already, with the secret above.
const RUNNING = process.env["TODO_API_URL"];

interface Running {
  process?: ChildProcess;
  url: string;
}

/** The service with an embedded PostgreSQL, as a process that can be killed and started again on the same port. */
export class Service {
  readonly #directory: string;
  /** Holds the database, so that it lives on when the service is killed. */
  readonly #holder: Running;
  #running: Running;

  private constructor(directory: string, holder: Running, running: Running) {
    this.#directory = directory;
    this.#holder = holder;
    this.#running = running;
  }

  /** Start a service; one that can be killed does not use the one that runs already. */
  static async start({ canBeKilled = false } = {}): Promise<Service> {
    if (RUNNING && !canBeKilled) return new Service(tmpdir(), { url: RUNNING }, { url: RUNNING });
    const directory = await mkdtemp(join(tmpdir(), "todo-client-"));
    const holder = await run(directory, "0");
    return new Service(directory, holder, await run(directory, "0"));
  }

  get url(): string {
    return this.#running.url;
  }

  async kill(): Promise<void> {
    this.#running.process!.kill("SIGKILL");
    await once(this.#running.process!, "exit");
  }

  async restart(): Promise<void> {
    this.#running = await run(this.#directory, new URL(this.url).port);
  }

  async stop(): Promise<void> {
    if (!this.#holder.process) return;
    for (const { process } of [this.#running, this.#holder]) {
      if (!process || process.exitCode !== null || process.signalCode !== null) continue;
      process.kill("SIGTERM");
      await once(process, "exit");
    }
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Request as a user. */
  async response(user: string, path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { Authorization: `Bearer ${tokenOf(user)}`, "Content-Type": "application/json", ...init.headers };
    const response = await fetch(this.url + path, { ...init, headers });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    return response;
  }
}

async function run(directory: string, port: string): Promise<Running> {
  const kept = Object.entries(process.env).filter(([name]) => ["PATH", "HOME", "LANG"].includes(name));
  const settings = { PORT: port, DATA_DIR: directory, BETTER_AUTH_SECRET: SECRET };
  const child = spawn(COMMAND, ["dev", "--exit-with-parent", String(process.pid)], {
    env: { ...Object.fromEntries(kept), ...settings }, cwd: directory, stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (data: Buffer) => (log += data.toString()));
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /serving on (\S+)/.exec(line)?.[1];
    if (!url) continue;
    child.stdout.resume();
    return { process: child, url };
  }
  throw new Error(`the service does not start: ${log}`);
}

/** Sign a token as Better Auth would with a shared secret. */
export function tokenOf(user: string, seconds = 3600): string {
  const now = Math.floor(Date.now() / 1000);
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const content = `${encode({ alg: "HS256", typ: "JWT" })}.${encode({ sub: user, iat: now - 1, exp: now + seconds })}`;
  return `${content}.${createHmac("sha256", SECRET).update(content).digest("base64url")}`;
}
