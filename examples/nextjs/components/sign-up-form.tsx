"use client";

import Link from "next/link";
import { AuthForm } from "@/components/auth-form";
import { Field } from "@/components/field";
import { authClient } from "@/lib/auth-client";

export function SignUpForm() {
  return (
    <AuthForm
      title="Sign up"
      submit={({ name = "", email = "", password = "" }) => authClient.signUp.email({ name, email, password })}
      other={
        <>
          You have an account? <Link href="/sign-in">Sign in</Link>
        </>
      }
    >
      <Field label="Name" name="name" autoComplete="name" required />
      <Field label="E-mail" name="email" type="email" autoComplete="email" required />
      <Field
        label="Password"
        name="password"
        type="password"
        autoComplete="new-password"
        required
        minLength={8}
        hint="At least 8 characters"
      />
    </AuthForm>
  );
}
