"""The shop as a whole: all acts together."""

from collections.abc import Mapping
from typing import Any

from sandbox.shopify.acts_app import AppActs


class Shop(AppActs):
    """A Shopify shop. Its methods are what people do; `create_app(shop)` gives its APIs and pages."""

    def shop_body(self) -> Mapping[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "email": f"hello@{self.handle}.example",
            "domain": f"{self.handle}.example",
            "province": "Tennessee",
            "country": "US",
            "address1": "190 MacLaren Street",
            "zip": "37178",
            "city": "Houston",
            "source": None,
            "phone": "3213213210",
            "latitude": None,
            "longitude": None,
            "primary_locale": "en",
            "address2": None,
            "created_at": self.stamp(self.created),
            "updated_at": self.stamp(self.now()),
            "country_code": "US",
            "country_name": "United States",
            "currency": self.currency,
            "customer_email": f"hello@{self.handle}.example",
            "timezone": f"(GMT-05:00) {self.zone.key}",
            "iana_timezone": self.zone.key,
            "shop_owner": "John Smith",
            "money_format": "${{amount}}",
            "money_with_currency_format": f"${{{{amount}}}} {self.currency}",
            "weight_unit": "kg",
            "province_code": "TN",
            "taxes_included": self.taxes_included,
            "auto_configure_tax_inclusivity": None,
            "tax_shipping": None,
            "county_taxes": None,
            "plan_display_name": "Basic",
            "plan_name": "basic",
            "has_discounts": bool(self.discounts),
            "has_gift_cards": True,
            "myshopify_domain": self.domain,
            "google_apps_domain": None,
            "google_apps_login_enabled": None,
            "money_in_emails_format": "${{amount}}",
            "money_with_currency_in_emails_format": f"${{{{amount}}}} {self.currency}",
            "eligible_for_payments": True,
            "requires_extra_payments_agreement": False,
            "password_enabled": None,
            "has_storefront": True,
            "finances": True,
            "primary_location_id": 655441491,
            "checkout_api_supported": True,
            "multi_location_enabled": True,
            "setup_required": False,
            "pre_launch_enabled": False,
            "enabled_presentment_currencies": [self.currency, *self.rates],
            "marketing_sms_consent_enabled_at_checkout": False,
            "transactional_sms_disabled": False,
        }
