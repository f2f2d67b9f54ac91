"""The embedded sign-in, in the paths and shapes of Better Auth."""
