// `make example`: start everything, print one address and a user, and stop everything on Ctrl-C.
import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { addSample } from "./sample.mjs";
import { EXAMPLE, expectFree, signUp, startApi, startDatabase, startFrontEnd } from "./stack.mjs";

const USER = { name: "Ann Example", email: "ann@example.com", password: "example-password" };
const directory = path.resolve(process.env.EXAMPLE_DATA_DIR ?? path.join(EXAMPLE, "../../.data/example"));
const apiPort = Number(process.env.PORT ?? 8000);
const port = Number(process.env.WEB_PORT ?? 3000);

// Failures are for people: without a stack.
process.on("uncaughtException", ({ message }) => {
  console.error(`make example: ${message}`);
  process.exit(1);
});

await expectFree(apiPort, "PORT");
await expectFree(port, "WEB_PORT");
const database = await startDatabase(path.join(directory, "postgres"));
const frontEnd = `http://localhost:${port}`;
const api = await startApi({ databaseUrl: database.url, port: apiPort, frontEnd, directory });
const secret = await keptSecret(path.join(directory, "better-auth-secret"));
const isDevelopment = Boolean(process.env.DEV);
const web = await startFrontEnd({ databaseUrl: database.url, port, apiUrl: api.url, secret, isDevelopment });
const token = await signUp(web.url, USER);
if (token) await addSample(api.url, token);

console.log(`
  Open       ${web.url}
  Sign in    ${USER.email}
  Password   ${USER.password}

The API is on ${api.url}, the data are in ${directory}. Ctrl-C stops everything; the data stay.
`);

let isStopping = false;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, async () => {
    if (isStopping) return;
    isStopping = true;
    await web.stop();
    await api.stop();
    await database.stop();
    process.exit(0);
  });
}

async function keptSecret(file) {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, randomBytes(32).toString("base64"), { mode: 0o600, flag: "wx" }).catch(() => undefined);
  return readFile(file, "utf8");
}
