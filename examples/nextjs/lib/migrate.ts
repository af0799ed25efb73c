import { getMigrations } from "better-auth/db/migration";
import { auth, pool } from "@/lib/auth";

/** Create and update Better Auth's tables, in their own schema. Of several servers that start together, one does. */
export async function migrate(): Promise<void> {
  const connection = await pool.connect();
  try {
    await connection.query("SELECT pg_advisory_lock(hashtext('better-auth'))");
    const { runMigrations } = await getMigrations(auth.options);
    await runMigrations();
  } finally {
    connection.release(true); // closing the connection releases the lock
  }
}
