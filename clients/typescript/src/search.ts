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

const ASCII = /^[\x00-\x7f]*$/;

const wordsOfTasks = new WeakMap<Task, string>();

/** Return a condition that holds for tasks with words that begin with each word of `q`, as in the search of the API. */
export function searchCondition(q: string): (task: Task) => boolean {
  const beginnings = wordsOf(q).map((word) => ` ${word}`);
  return (task) => beginnings.length > 0 && beginnings.every((beginning) => wordsOfTask(task).includes(beginning));
}

/** Return the words of a task with a space before each. */
function wordsOfTask(task: Task): string {
  let words = wordsOfTasks.get(task);
  if (words === undefined) {
    const { title, description, tags, checklist } = task;
    const texts = [title, description ?? "", ...tags, ...checklist.map((item) => item.title)];
    words = wordsOf(texts.join(" ")).map((word) => ` ${word}`).join("");
    wordsOfTasks.set(task, words);
  }
  return words;
}

function wordsOf(text: string): readonly string[] {
  return lettersOf(text).map((word) => word.slice(0, LONGEST_WORD));
}

function lettersOf(text: string): readonly string[] {
  if (ASCII.test(text)) return text.toLowerCase().match(/[0-9a-z]+/g) ?? [];
  const letters = text.normalize("NFKD").toLowerCase().replace(/[\p{Mn}\p{Cf}]/gu, "");
  return letters.replace(ALIKE_LETTERS, (letter) => ALIKE[letter]!).match(WORD) ?? [];
}
