import type { Task } from "./schemas.js";

const LONGEST_WORD = 40;

// Scripts that are written without spaces: each character is a word.
const ALONE = ["Han", "Hiragana", "Katakana", "Bopomofo", "Thai", "Lao", "Khmer", "Myanmar"]
  .map((script) => `\\p{Script=${script}}`)
  .join("");
const WORD = new RegExp(`[${ALONE}]|(?:(?![${ALONE}])[\\p{L}\\p{Nd}])+`, "gu");
// Letters that readers search as others, and that Unicode does not take apart.
const ALIKE: Record<string, string> = {
  ß: "ss", æ: "ae", œ: "oe", ø: "o", đ: "d", ð: "d", þ: "th", ł: "l", ħ: "h", ŋ: "n", ı: "i", ŧ: "t",
};
const ALIKE_LETTERS = new RegExp(`[${Object.keys(ALIKE).join("")}]`, "g");

const wordsOfTasks = new WeakMap<Task, readonly string[]>();

/** Return a condition that holds for tasks with words that begin with each word of `q`, as in the search of the API. */
export function searchCondition(q: string): (task: Task) => boolean {
  const beginnings = wordsOf(q);
  return (task) => {
    const words = wordsOfTask(task);
    return beginnings.length > 0 && beginnings.every((beginning) => words.some((word) => word.startsWith(beginning)));
  };
}

function wordsOfTask(task: Task): readonly string[] {
  const kept = wordsOfTasks.get(task);
  if (kept) return kept;
  const { title, description, tags, checklist } = task;
  const words = wordsOf([title, description ?? "", ...tags, ...checklist.map((item) => item.title)].join(" "));
  wordsOfTasks.set(task, words);
  return words;
}

function wordsOf(text: string): readonly string[] {
  const letters = text.normalize("NFKD").toLowerCase().replace(/[\p{Mn}\p{Cf}]/gu, "");
  const words = letters.replace(ALIKE_LETTERS, (letter) => ALIKE[letter]!).match(WORD) ?? [];
  return [...new Set(words.map((word) => word.slice(0, LONGEST_WORD)))];
}
