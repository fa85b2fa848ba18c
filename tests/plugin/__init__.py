"""The WordPress plugin (connectors/woocommerce/plugin): its PHP under real PHP, its package, its words."""
