"""Histories of real requests, and a checker that says whether any order of the ledger explains every answer."""
