"""What a case type says: frozen records, their canonical JSON, their digest; and the maps that imports use."""
