"""The pictures for the app directories are there, of the sizes that these ask for."""

import re
import struct
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.gallery.shop import gallery_shop
from tests.listing.__main__ import SCREENSHOTS, fill, make

README = Path(__file__).parents[2] / "connectors/woocommerce/plugin/laurel-loyalty/readme.txt"


@pytest.mark.browser
def test_each_picture_has_the_size_that_its_directory_asks_for(browser: Browser, tmp_path: Path) -> None:
    for folder in ("wordpress", "shopify"):
        (tmp_path / folder).mkdir()
    with gallery_shop() as storefront:
        fill(storefront)
        make(browser, storefront, tmp_path)
    sizes = {
        str(file.relative_to(tmp_path)): struct.unpack(">II", file.read_bytes()[16:24])
        for file in tmp_path.rglob("*.png")
    }
    fixed = {name: size for name, size in sizes.items() if "screenshot" not in name}
    slides = [name for name in fixed if re.search(r"shopify/(feature|\d)", name)]
    assert {fixed.pop(name) for name in slides} == {(1600, 900)}
    assert len(slides) == 1 + 6  # Shopify shows three to six beside the feature image
    assert fixed == {
        "shopify/icon.png": (1200, 1200),
        "wordpress/icon-128x128.png": (128, 128),
        "wordpress/icon-256x256.png": (256, 256),
        "wordpress/banner-772x250.png": (772, 250),
        "wordpress/banner-1544x500.png": (1544, 500),
    }
    told = (tmp_path / "shopify/alternative-texts.txt").read_text().splitlines()
    assert len(told) == len(slides)


def test_each_screenshot_has_its_line_in_the_readme() -> None:
    (part,) = re.findall(r"== Screenshots ==\n(.*?)\n==", README.read_text(), re.DOTALL)
    assert [line.split(".")[0] for line in part.strip().splitlines()] == [
        str(number) for number, _ in enumerate(SCREENSHOTS, 1)
    ]
