"""Products and their categories by REST, as far as somebody asks what a product is sorted into."""

import html

from flask import Blueprint, Response, request

from sandbox.woocommerce.base import ShopBase
from sandbox.woocommerce.order_search import ids_of
from sandbox.woocommerce.parts import Body
from sandbox.woocommerce.shop import Shop
from sandbox.woocommerce.state import Product
from sandbox.woocommerce.wire import page_of


def make(shop: Shop) -> Blueprint:
    api = Blueprint("products", __name__)

    @api.get("/products")
    def list_products() -> Response:
        trash = request.args.get("status", "any") == "trash"
        with shop.lock:
            rows = [
                product
                for product in shop.products.values()
                if product.trashed is trash
                and (not request.args.get("include") or product.id in ids_of("include"))
            ]
            rows.sort(key=lambda product: -product.id)
            return page_of(shop, rows, lambda product: product_body(shop, product))

    @api.get("/products/categories")
    def list_categories() -> Response:
        with shop.lock:
            rows = sorted(shop.categories.values(), key=lambda category: category.name)
            return page_of(
                shop,
                rows,
                lambda one: {"id": one.id, "name": html.escape(one.name), "parent": one.parent},
            )

    return api


def product_body(shop: ShopBase, product: Product) -> Body:
    """What is sorted where: the names of terms come escaped, as they lie in WordPress."""
    known = [shop.categories[number] for number in product.categories]
    return {
        "id": product.id,
        "name": product.name,
        "status": "trash" if product.trashed else "publish",
        "categories": [
            {"id": one.id, "name": html.escape(one.name), "slug": one.name.lower()} for one in known
        ],
        "tags": [
            {"id": place, "name": html.escape(name), "slug": name.lower()}
            for place, name in enumerate(product.tags, 1)
        ],
    }
