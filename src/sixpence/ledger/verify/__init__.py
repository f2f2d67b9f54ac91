"""Verification: fold every account from its transactions and compare the result with the stored rows."""
