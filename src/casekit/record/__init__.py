"""The record, pure: entry, canonical text, hash, envelope format, fold, verify. The room an auditor reads alone."""
