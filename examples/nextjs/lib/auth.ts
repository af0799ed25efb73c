import { betterAuth } from "better-auth";
import { nextCookies } from "better-auth/next-js";
import { jwt } from "better-auth/plugins";
import { PostgresDialect } from "kysely";
import { Pool } from "pg";

export const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 10 });

/** Sign-in by e-mail and password. BETTER_AUTH_URL and BETTER_AUTH_SECRET are read from the environment. */
export const auth = betterAuth({
  database: { dialect: new PostgresDialect({ pool }), type: "postgres", schemaName: "auth" },
  emailAndPassword: { enabled: true },
  user: { deleteUser: { enabled: true, beforeDelete: (user) => eraseTasks(user.id) } },
  // Tests sign in more often than people do.
  rateLimit: { enabled: process.env.NODE_ENV === "production" && process.env.AUTH_RATE_LIMIT !== "off" },
  telemetry: { enabled: false },
  plugins: [
    // By default, a token has the whole user in it. The API only needs the id, which is the `sub`.
    jwt({ jwt: { definePayload: () => ({}) } }),
    nextCookies(),
  ],
});

/** Erase the user's tasks before the account: if it fails, the account stays, and the person can try again. */
async function eraseTasks(userId: string): Promise<void> {
  const { token } = await auth.api.signJWT({ body: { payload: { sub: userId } } });
  const url = process.env.API_URL_FROM_SERVER ?? process.env.API_URL;
  const response = await fetch(`${url}/api/me`, { method: "DELETE", headers: { Authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`the tasks were not erased: status ${response.status}`);
}
