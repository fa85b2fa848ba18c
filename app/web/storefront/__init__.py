"""JSON for the shop's own pages, as docs/storefront-api.md says: the shopper's points, rewards and codes."""

from app.web.storefront.views import blueprint as blueprint
