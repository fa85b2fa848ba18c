"""WooCommerce: the table of contents."""
