"""Tests of the service: every operation and refusal, over both databases."""
