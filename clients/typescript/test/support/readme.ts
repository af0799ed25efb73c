import { readFile } from "node:fs/promises";

/** Return the code blocks of a language, from a section of a page or from all of it. */
export async function blocksOf(page: string, language: string, section = ""): Promise<string[]> {
  const text = await readFile(page, "utf8");
  const [, part = ""] = section ? text.split(`\n${section}\n`) : ["", text];
  const within = section ? part.split(/\n## /)[0]! : part;
  return [...within.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"))].map((found) => found[1]!);
}
