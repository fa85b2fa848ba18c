"""Use cases. Each module has one public function of its own name; it owns the transaction."""
