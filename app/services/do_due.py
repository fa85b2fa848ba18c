"""What is due in one program: lots and codes that end, tiers, birthdays, signs of abuse, jobs that were lost."""

from collections.abc import Callable

import structlog

from app.services.due_email_proofs import due_email_proofs
from app.services.expire_codes import expire_codes
from app.services.expire_lots import expire_lots
from app.services.forget_profiles import forget_profiles
from app.services.look_for_abuse import look_for_abuse
from app.services.pay_birthdays import pay_birthdays
from app.services.plan_reminders import plan_reminders
from app.services.refresh_facts import refresh_facts
from app.services.resume_redemptions import resume_redemptions
from app.services.review_tiers import review_tiers
from app.services.runtime import Runtime

log = structlog.get_logger()


def _mail_proofs(rt: Runtime, program_id: int) -> int:
    return due_email_proofs(rt, program_id) if rt.sends_mail else 0


_WORK: tuple[Callable[[Runtime, int], int], ...] = (
    resume_redemptions,
    look_for_abuse,
    expire_lots,
    expire_codes,
    review_tiers,
    refresh_facts,
    plan_reminders,
    pay_birthdays,
    forget_profiles,
    _mail_proofs,
)


def do_due(rt: Runtime, program_id: int) -> None:
    """Do each, even if one before it failed. Raises the first failure, so that the job runs again."""
    failure: Exception | None = None
    for work in _WORK:
        try:
            count = work(rt, program_id)
        except Exception as error:
            log.exception("due_work_failed", work=work.__name__, program_id=program_id)
            failure = failure or error
        else:
            if count:
                log.info("due_work_done", work=work.__name__, program_id=program_id, count=count)
    if failure is not None:
        raise failure
