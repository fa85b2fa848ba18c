"""The program: its rules in sentences, its versions, publishing a new one; and the rewards as members see them."""

import json

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import Refused
from app.domain.staff import Role
from app.services.check_document import WrongDocument
from app.services.describe_earning import describe_earning
from app.services.describe_rewards import describe_rewards, kind_words
from app.services.describe_rules import describe_rules
from app.services.describe_tiers import describe_tiers
from app.services.diff_documents import diff_documents
from app.services.last_tier_run import last_tier_run
from app.services.list_rewards import list_rewards
from app.services.publish_program import (
    get_version,
    list_versions,
    live_program,
    preview_program,
    publish_program,
    read_document,
)
from app.services.start_from_template import TEMPLATES, Template, start_from_template
from app.services.wording import earn_words
from app.web.admin.answers import done
from app.web.admin.guard import blueprint, needs, program_id, visitor
from app.web.here import runtime


@blueprint.get("/program")
def program() -> ResponseReturnValue:
    rt = runtime()
    live = live_program(rt, program_id())
    return render_template(
        "admin/program.html",
        live=live,
        earn=earn_words(live.rate, live.currency),
        tiers=describe_tiers(live),
        run=last_tier_run(rt, program_id()),
        rules=[*describe_rules(live), *describe_earning(live)],
        rewards=list_rewards(rt, program_id()),
        conditions=describe_rewards(live),
        versions=list_versions(rt, program_id()),
    )


@blueprint.get("/program/versions/<int:version>")
def version(version: int) -> ResponseReturnValue:
    rt = runtime()
    found = get_version(rt, program_id(), version)
    before = get_version(rt, program_id(), version - 1) if version > 1 else None
    return render_template(
        "admin/version.html",
        found=found,
        changes=diff_documents(before.document, found.document) if before else [],
        text=_text(found.document),
        is_live=list_versions(rt, program_id())[0].version == version,
    )


@blueprint.get("/program/edit")
@needs(Role.OWNER)
def edit_program() -> ResponseReturnValue:
    """The document as text; of an older version, to go back to it; or a template, to start from."""
    rt = runtime()
    versions = list_versions(rt, program_id())
    wanted = request.args.get("from", "")
    start = (
        get_version(rt, program_id(), int(wanted)) if wanted.isdigit() and len(wanted) < 9 else versions[0]
    )
    if (template := TEMPLATES.get(request.args.get("template", ""))) is not None:
        document = start_from_template(template.key, like=start.document)
        return _editor(_text(document), versions[0].version, template=template)
    return _editor(_text(start.document), versions[0].version)


@blueprint.post("/program/check")
@needs(Role.OWNER)
def check_program() -> ResponseReturnValue:
    """Everything that is wrong, each with its field; or what differs and what publishing would do."""
    text, based_on = request.form.get("document", ""), _based_on()
    try:
        document = read_document(text)
        preview = preview_program(runtime(), program_id(), document)
    except WrongDocument as wrong:
        return _editor(text, based_on, faults=wrong.faults)
    return _editor(text, based_on, preview=preview)


@blueprint.post("/program/publish")
@needs(Role.OWNER)
def publish() -> ResponseReturnValue:
    text, based_on = request.form.get("document", ""), _based_on()
    try:
        made = publish_program(
            runtime(),
            program_id(),
            read_document(text),
            by=visitor().actor,
            note=request.form.get("note", ""),
            based_on=based_on,
        )
    except WrongDocument as wrong:
        return _editor(text, based_on, faults=wrong.faults)
    except Refused as refused:
        return _editor(text, based_on, faults=[("document", refused.detail)])
    return done(url_for("admin.program"), f"Version {made} is live.")


@blueprint.get("/rewards")
def rewards() -> ResponseReturnValue:
    rt = runtime()
    live = live_program(rt, program_id())
    return render_template(
        "admin/rewards.html",
        rewards=list_rewards(rt, program_id()),
        conditions=describe_rewards(live),
        kind_words=kind_words,
        live=live,
    )


def _editor(
    text: str, based_on: int, *, faults: object = (), preview: object = None, template: Template | None = None
) -> ResponseReturnValue:
    page = render_template(
        "admin/program_edit.html",
        text=text,
        based_on=based_on,
        faults=faults,
        preview=preview,
        template=template,
        templates=TEMPLATES.values(),
    )
    return page, 422 if faults else 200


def _based_on() -> int:
    word = request.form.get("based_on", "")
    return int(word) if word.isascii() and word.isdigit() and len(word) < 9 else 0


def _text(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)
