let last = 0;

/** Return a new UUIDv7: random, and greater than the ones that were made here before. */
export function newId(): string {
  last = Math.max(last + 1, Date.now() * 4096); // milliseconds, and 12 bits that count within them
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  const random = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const time = Math.floor(last / 4096).toString(16).padStart(12, "0");
  const count = (last % 4096).toString(16).padStart(3, "0");
  const variant = ((bytes[0]! & 0x3f) | 0x80).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-${variant}${random.slice(2, 4)}-${random.slice(4)}`;
}
