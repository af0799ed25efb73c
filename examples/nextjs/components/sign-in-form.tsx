"use client";

import Link from "next/link";
import { AuthForm } from "@/components/auth-form";
import { Field } from "@/components/field";
import { authClient } from "@/lib/auth-client";

export function SignInForm() {
  return (
    <AuthForm
      title="Sign in"
      submit={({ email = "", password = "" }) => authClient.signIn.email({ email, password })}
      other={
        <>
          No account yet? <Link href="/sign-up">Sign up</Link>
        </>
      }
    >
      <Field label="E-mail" name="email" type="email" autoComplete="email" required />
      <Field label="Password" name="password" type="password" autoComplete="current-password" required />
    </AuthForm>
  );
}
