/**
 * Provisional places in the manual order, until the service has made the real ones. Both are numbers in base 16, whose
 * letter and 13 digits stand before the point.
 */

const DIGITS = 80; // more than a position of the service has, so that there is always room between two
const HEAD = 14;
const STEP = 16n ** BigInt(DIGITS - HEAD);

interface Placed {
  readonly id: string;
  readonly position: string;
}

/** Compare by the manual order. */
export function byPosition(a: Placed, b: Placed): number {
  if (a.position !== b.position) return a.position < b.position ? -1 : 1;
  return a.id < b.id ? -1 : Number(a.id > b.id);
}

/** Return a position between two others; without `low` it is the start, without `high` the end. */
export function between(low: string | undefined, high: string | undefined): string {
  if (low === undefined && high === undefined) return `m${"0".repeat(HEAD - 1)}`;
  if (low === undefined) return toText(toNumber(high!) - STEP);
  if (high === undefined) return toText(toNumber(low) + STEP);
  return toText((toNumber(low) + toNumber(high)) / 2n);
}

function toNumber(position: string): bigint {
  const letter = BigInt(position.charCodeAt(0) - 97);
  return letter * 16n ** BigInt(DIGITS - 1) + BigInt(`0x${position.slice(1).padEnd(DIGITS - 1, "0")}`);
}

function toText(number: bigint): string {
  const unit = 16n ** BigInt(DIGITS - 1);
  const digits = (number % unit).toString(16).padStart(DIGITS - 1, "0");
  const fraction = digits.slice(HEAD - 1).replace(/0+$/, "");
  return String.fromCharCode(97 + Number(number / unit)) + digits.slice(0, HEAD - 1) + fraction;
}
