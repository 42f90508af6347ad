"""The desk: the shell around pure decisions. The bus, one module per resource, sweeps, outbox, importers."""
