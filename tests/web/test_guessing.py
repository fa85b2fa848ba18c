"""Guessing a code: there are too many, tries are counted, and every wrong one is answered alike."""

import math
from collections import Counter

from app.domain.crockford import ALPHABET
from app.domain.redeeming import code_of
from app.domain.rewards import RewardKind
from app.services.runtime import new_code
from app.web.storefront.limits import WRITES
from tests.services.books import publish
from tests.services.crowd import REFERRAL
from tests.web.shoppers import Storefront


def test_a_code_has_80_bits_that_nobody_guesses() -> None:
    assert len(set(ALPHABET)) == 32
    codes = [new_code().removeprefix("LRL-") for _ in range(4000)]
    assert {len(one) for one in codes} == {16}
    assert math.log2(32) * 16 == 80
    assert len(set(codes)) == len(codes)
    # Each letter at each place, about as often as the others: 4000/32 = 125, and 60 is six deviations away.
    for place in range(16):
        counted = Counter(one[place] for one in codes)
        assert set(counted) == set(ALPHABET)
        assert all(60 < times < 190 for times in counted.values())
    # A merchant's own prefix takes none of them away.
    assert len(code_of(RewardKind.AMOUNT, "SPRING", "LRL-" + "7" * 16).removeprefix("SPRING-")) == 16


def test_wrong_codes_are_answered_alike_and_only_so_many_a_minute(storefront: Storefront) -> None:
    publish(storefront.rt, storefront.program_id, referral=REFERRAL)
    storefront.member("7")
    wrong = ["0" * 16, "ZZZZ-ZZZZ-ZZZZ-ZZZZ", "x", "7" * 16, "lrl-" + "a" * 16]
    answers = [storefront.post("referrals", {"code": one}) for one in wrong]
    told = {(one.status_code, one.get_json()["code"], one.get_json()["detail"]) for one in answers}
    assert told == {(404, "unknown_code", "Nobody has this code; perhaps a character is missing.")}
    more = [storefront.post("referrals", {"code": "0" * 16}) for _ in range(WRITES - len(wrong))]
    assert {one.status_code for one in more} == {404}
    assert storefront.post("referrals", {"code": "0" * 16}).status_code == 429
