"""Stand-in shops: a Shopify and a WooCommerce that speak the wire as the real ones do. They know nothing of Laurel."""
