"""Histories of real requests, and a checker that explains every answer by the ledger's order."""
