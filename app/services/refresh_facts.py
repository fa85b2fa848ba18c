"""What products are sorted into is read again once a day, where rules look at it; and whatever is still owed."""

from datetime import timedelta

from app.db import jobs, programs, shop_facts
from app.services.runtime import Runtime

_AGE = timedelta(days=1)


def refresh_facts(rt: Runtime, program_id: int) -> int:
    """Put in a job for each shop that is to be asked. Returns how many.

    Customers' tags are told by the shops when they change; collections by nobody.
    """
    with rt.db.begin(program_id) as session:
        live = programs.load_versions(session)[program_id].live
        if live.rules.groups:
            shop_facts.want_again(session, before=rt.now() - _AGE)
        owing = shop_facts.shops_that_owe(session)
        jobs.enqueue_all(session, "read_facts", [{"shop_id": one} for one in owing])
    return len(owing)
