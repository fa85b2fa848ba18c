"""Shopify: order webhooks in, discount codes out."""
