import { byPosition } from "./positions.js";

const FEW = 50;

/** Records in the manual order. A few changes are put into their places; after many, all is sorted again. */
export class Sorted<T extends { readonly id: string; readonly position: string }> {
  readonly #get: (id: string) => T | undefined;
  readonly #all: () => Iterable<T>;
  readonly #changed = new Set<string>();
  #records: readonly T[] | undefined;

  constructor(get: (id: string) => T | undefined, all: () => Iterable<T>) {
    this.#get = get;
    this.#all = all;
  }

  changed(ids: readonly string[]): void {
    for (const id of ids) this.#changed.add(id);
  }

  /** The array stays the same until something changes. */
  records(): readonly T[] {
    if (this.#records && this.#changed.size === 0) return this.#records;
    const isMuch = !this.#records || this.#changed.size > FEW;
    this.#records = isMuch ? [...this.#all()].sort(byPosition) : this.#inserted(this.#records!);
    this.#changed.clear();
    return this.#records;
  }

  #inserted(before: readonly T[]): readonly T[] {
    const records = before.filter((record) => !this.#changed.has(record.id));
    for (const id of this.#changed) {
      const record = this.#get(id);
      if (record) records.splice(placeOf(record, records), 0, record);
    }
    return records;
  }
}

function placeOf<T extends { id: string; position: string }>(record: T, records: readonly T[]): number {
  let [low, high] = [0, records.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (byPosition(records[middle]!, record) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
