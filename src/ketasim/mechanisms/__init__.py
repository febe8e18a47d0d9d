"""One file a mechanism: story, laws, ledger. They meet only in a model."""
