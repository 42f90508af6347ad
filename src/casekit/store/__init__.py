"""The store: tables, transactions, the projection writer, queries, keys, documents, migrations."""
