import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const LIMIT = 12_000; // bytes

async function bundled(external: boolean): Promise<number> {
  const { outputFiles } = await build({
    entryPoints: ["src/index.ts", "src/indexeddb.ts"], bundle: true, minify: true, splitting: true, format: "esm", write: false,
    outdir: "build/bundle", platform: "browser", ...(external && { packages: "external" as const }),
  });
  return outputFiles.reduce((total, file) => total + gzipSync(file.contents, { level: 9 }).length, 0);
}

test("the code of the package itself is small", async (context) => {
  const own = await bundled(true);
  context.diagnostic(`${own} bytes of its own, ${await bundled(false)} with Dexie and openapi-fetch (minified, gzip)`);
  assert.ok(own <= LIMIT, `${own} bytes`);
});

test("the types are those of the service", async () => {
  const directory = await mkdtemp(join(tmpdir(), "todo-types-"));
  const file = join(directory, "api.ts");
  const path = `node_modules/.bin:${process.env["PATH"]}`;
  await promisify(execFile)("sh", ["scripts/types.sh", file], { env: { ...process.env, PATH: path } });
  assert.equal(await readFile(file, "utf8"), await readFile("src/generated/api.ts", "utf8"), "run `npm run types`");
  await rm(directory, { recursive: true });
});

test("the lock file names no registry", async () => {
  assert.doesNotMatch(await readFile("package-lock.json", "utf8"), /"resolved"/);
});
