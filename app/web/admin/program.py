"""The program: its rules in sentences, its versions, publishing a new one; and the rewards as members see them."""

import json

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import Refused
from app.domain.staff import Role
from app.services.ask_preview import AskedPreview, ask_preview, find_preview, stop_preview
from app.services.check_document import WrongDocument
from app.services.describe_earning import describe_earning
from app.services.describe_look import describe_look
from app.services.describe_rewards import describe_rewards, kind_words
from app.services.describe_rules import describe_rules
from app.services.describe_signals import describe_signals
from app.services.describe_tiers import describe_tiers
from app.services.diff_documents import diff_documents
from app.services.last_tier_run import last_tier_run
from app.services.list_rewards import list_rewards
from app.services.publish_program import (
    MAX_NOTE,
    get_version,
    list_versions,
    live_program,
    publish_program,
    read_document,
    require_publishable,
)
from app.services.start_from_template import TEMPLATES, Template, start_from_template
from app.services.wording import earn_words, words_for
from app.web.admin.answers import done, go
from app.web.admin.guard import blueprint, needs, program_id, visitor
from app.web.asked import whole_number
from app.web.here import runtime


@blueprint.get("/program")
def program() -> ResponseReturnValue:
    rt = runtime()
    live = live_program(rt, program_id())
    return render_template(
        "admin/program.html",
        live=live,
        earn=earn_words(live.rate, live.currency, words_for(live)),
        tiers=describe_tiers(live),
        run=last_tier_run(rt, program_id()),
        rules=[*describe_rules(live), *describe_earning(live)],
        signals=describe_signals(live),
        rewards=list_rewards(rt, program_id()),
        conditions=describe_rewards(live),
        look=describe_look(live.look),
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
    wanted = whole_number(request.args.get("from", ""))
    start = versions[0] if wanted is None else get_version(rt, program_id(), wanted)
    if (template := TEMPLATES.get(request.args.get("template", ""))) is not None:
        document = start_from_template(template.key, like=start.document)
        return _editor(_text(document), versions[0].version, template=template)
    return _editor(_text(start.document), versions[0].version)


@blueprint.post("/program/check")
@needs(Role.OWNER)
def check_program() -> ResponseReturnValue:
    """Everything that is wrong, each with its field; or on to what publishing would do, which a job works out."""
    rt = runtime()
    text, note, based_on = request.form.get("document", ""), request.form.get("note", ""), _based_on()
    try:
        require_publishable(rt, program_id(), read_document(text))
    except WrongDocument as wrong:
        return _editor(text, based_on, faults=wrong.faults, note=note)
    preview_id = ask_preview(
        rt,
        program_id(),
        text,
        note=note[:MAX_NOTE],
        based_on=based_on,
        instead_of=whole_number(request.form.get("preview", "")),
    )
    return go(url_for("admin.preview", preview_id=preview_id))


@blueprint.get("/program/previews/<int:preview_id>")
@needs(Role.OWNER)
def preview(preview_id: int) -> ResponseReturnValue:
    asked = find_preview(runtime(), program_id(), preview_id)
    return _editor(asked.text, asked.based_on, asked=asked, note=asked.note)


@blueprint.get("/program/previews/<int:preview_id>/progress")
@needs(Role.OWNER)
def preview_progress(preview_id: int) -> ResponseReturnValue:
    return render_template("admin/preview.html", asked=find_preview(runtime(), program_id(), preview_id))


@blueprint.post("/program/previews/<int:preview_id>/stop")
@needs(Role.OWNER)
def stop(preview_id: int) -> ResponseReturnValue:
    stop_preview(runtime(), program_id(), preview_id)
    return go(url_for("admin.preview", preview_id=preview_id))


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
        return _editor(text, based_on, faults=wrong.faults, note=request.form.get("note", ""))
    except Refused as refused:
        faults = [("document", refused.detail)]
        return _editor(text, based_on, faults=faults, note=request.form.get("note", ""))
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
    text: str,
    based_on: int,
    *,
    faults: object = (),
    asked: AskedPreview | None = None,
    template: Template | None = None,
    note: str = "",
) -> ResponseReturnValue:
    page = render_template(
        "admin/program_edit.html",
        text=text,
        based_on=based_on,
        faults=faults,
        asked=asked,
        note=note,
        template=template,
        templates=TEMPLATES.values(),
    )
    return page, 422 if faults else 200


def _based_on() -> int:
    return whole_number(request.form.get("based_on", "")) or 0


def _text(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)
