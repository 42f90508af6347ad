"""Frozen values: what a case, a party, a sum of money, an instant is. Imports nothing of casekit but errors."""
