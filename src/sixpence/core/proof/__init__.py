"""Proof that a ledger or a statement is the signed one: Merkle trees and checkpoints."""
