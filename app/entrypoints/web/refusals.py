"""What is refused → what a person is told of it: rejected rows, error pages, failed jobs."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from app.core.errors import HeadwaterError
from app.core.jobs import JobFact
from app.entrypoints.web.language import speaks_chinese

REFUSALS = {
    "account_closed": _("This account is closed already."),
    "account_exists": _("This e-mail has an account already."),
    "account_field": _("Of an account only its language is chosen here."),
    "account_open": _("This account is open already."),
    "account_unknown": _("This account is gone."),
    "answer_late": _("The time to answer is over. Ask the buyer for a new plan."),
    "answer_terms": _("Only a change has its own quantity or week."),
    "batch_unknown": _("There is no such import."),
    "campaign_changed": _("This campaign has changed since you opened it. Load the page again."),
    "campaign_exists": _("There is a campaign with this code already. Choose another code."),
    "campaign_invalid": _("This campaign can't be kept as it is."),
    "campaign_launched": _("What was launched is not edited; extend it, close it or cancel it."),
    "campaign_move": _("The campaign cannot change to this state."),
    "campaign_settled": _("Pledges of this campaign stay as they are."),
    "campaign_not_begun": _("It has not opened yet; cancel it instead of closing it."),
    "campaign_unknown": _("There is no such campaign."),
    "channel_unknown": _("There is no such channel."),
    "channel_invalid": _("A channel's code has letters, digits, dots and dashes, at most 40."),
    "cluster_undecided": _("No word on this cluster is in force. Load the list again."),
    "cluster_unknown": _("This cluster was decided on already, or counts no more. Load the list again."),
    "column_missing": _("The file lacks columns that this mapping needs. Choose another mapping."),
    "column_nested": _("The file has nested columns; export it as a flat table."),
    "counter_empty": _("This change changes nothing; confirm the line instead."),
    "counter_quantity": _(
        "Offer at least one unit and at most what is asked; to offer none, decline the line."
    ),
    "counter_waiting": _("Your change is with the buyer. You can answer again once a new plan asks for it."),
    "counter_week": _("This week cannot be promised."),
    "csrf_failed": _("This page has expired. Load it again and repeat what you did."),
    "design_unknown": _("There is no such design."),
    "email_invalid": _("This is no e-mail address."),
    "encoding_unknown": _("The text encoding of the file is not known. Save it as UTF-8."),
    "decision_unknown": _("A campaign goes or not: decide one of the two, or nothing."),
    "extension_days": _("Extend by 1 to 90 days."),
    "extension_refused": _("The extension breaks what was launched."),
    "exclusion_undone": _("This exclusion was undone already."),
    "exclusion_unknown": _("There is no such exclusion."),
    "fill_nothing": _("No buyer of this campaign allows anything for this line."),
    "fill_undone": _("This was taken back already."),
    "fill_unknown": _("Tolerance was not used under this number."),
    "file_empty": _("The file is empty."),
    "file_header_only": _("The file has headings but no rows."),
    "file_missing": _("Choose a file to import."),
    "file_too_large": _("The file is larger than the service takes."),
    "file_unreadable": _("The file can't be read; it may be broken or of another kind."),
    "forecast_none": _("There is no forecast yet."),
    "forecast_run_unknown": _("There is no such forecast."),
    "import_ended": _("This import has ended already."),
    "import_running": _("This file is being imported by someone else at this moment."),
    "inputs_moved": _("Something changed while the plan was made. Plan again."),
    "job_ended": _("This job has ended already."),
    "job_unknown": _("There is no such job."),
    "launch_refused": _("This campaign can't be launched yet: see what to mend."),
    "line_confirmed": _("This line is confirmed; it changes only by a recorded amendment."),
    "line_direct": _("This line goes straight to a region and passes no warehouse."),
    "line_not_confirmed": _("Only confirmed lines can be received."),
    "line_settled": _("This line is settled already."),
    "line_unknown": _("There is no such line for you to see."),
    "last_administrator": _("This is the last administrator's account. Add another one before you close it."),
    "locale_unknown": _("This language is not available."),
    "mapping_no_events": _("This mapping reads files, not events; choose another."),
    "mapping_no_pull": _("This mapping does not say how to ask a source; choose another."),
    "mapping_unknown": _("There is no such mapping."),
    "no_counter": _("There is no change to decide on any more."),
    "no_supplier": _("This account belongs to no supplier."),
    "note_too_long": _("The note is too long."),
    "over_receipt": _("That is more than is still to come on this line. Count again."),
    "override_not_planned": _("This SKU is not planned: it is retired, or no goods."),
    "override_over": _("The week of this override is over; it stays on record."),
    "override_reason": _("An override needs a reason, of 500 characters at most."),
    "override_units": _("This is no quantity for a week."),
    "override_unknown": _("There is no such override."),
    "override_week": _("Choose this week or one of the year to come."),
    "override_withdrawn": _("This override was withdrawn already."),
    "password_same": _("This is the password that you have already. Choose another one."),
    "password_short": _("A password has at least 12 characters."),
    "password_wrong": _("This is not the password that you sign in with now."),
    "plan_none": _("There is no plan yet."),
    "plan_unknown": _("There is no such plan."),
    "proposal_moved": _("Pledges changed since this was proposed. Look at it again."),
    "reason_missing": _("Say why, in 500 characters at most: the decision is kept with its reason."),
    "receipt_quantity": _("A receipt is of at least one unit."),
    "reference_missing": _("Name the delivery note: 1 to 80 characters."),
    "reference_used": _("This delivery note stands for another receipt already."),
    "limits_moved": _("The limits were set anew since. Set them on their own page."),
    "plan_infeasible": _("No plan keeps all rules. The plan page shows which rules clash, and the ways out."),
    "plan_undocumented": _("This plan was made before plans could be asked about. Plan again."),
    "refusal_decided": _("This was decided already. Take it back first."),
    "refusal_none": _("Every plan that was asked for could be made."),
    "refusal_open": _("Nothing was decided here to be taken back."),
    "refusal_unknown": _("There is no such refusal."),
    "relaxation_unknown": _("Choose one of the ways out that sets a limit."),
    "region_unknown": _("There is no such region."),
    "role_required": _("Your role does not open this page."),
    "scenario_idle": _("These changes change nothing in this plan. Choose others."),
    "scenario_invalid": _("A change names something that this plan does not have."),
    "scenario_unknown": _("There is no such scenario; perhaps it was discarded."),
    "forecast_without_totals": _("This plan's forecast has no bounds to draw demand from. Plan again."),
    "service_level": _("A service level is 50 to 97 percent of a class A, B or C."),
    "churn_charge": _("A charge for changes is at least one minor unit; leave it out for none."),
    "round_closed": _("This round is closed already."),
    "round_designs": _("A round has 2 to 50 different designs; name each of them once."),
    "round_known": _("There is a vote round of this code already; choose another code."),
    "round_window": _("A round closes after it opens, between 2000 and 2099."),
    "round_not_open": _("This round is not open yet."),
    "round_unknown": _("There is no such vote round."),
    "sign_in_failed": _("E-mail and password do not match an account."),
    "signal_not_valid": _("This signal is not counted already."),
    "signal_unknown": _("There is no such signal."),
    "sku_of_other_design": _("One of these SKUs was made after another design."),
    "sku_unknown": _("There is no such SKU."),
    "step_unknown": _("The steps are produce, ship and finish."),
    "stale_answer": _("This line has changed since you opened it. Load the page again."),
    "secret_unreadable": _("SECRET_KEY has changed since this secret was kept; give the secret again."),
    "secret_unusable": _("This secret is too short, too long, or not in the form its way needs."),
    "source_address": _("This is no address that may be asked; write it like https://…/orders."),
    "source_unknown": _("This channel is not pulled from anywhere."),
    "supplier_account": _("A supplier's account names its supplier, and no other account does."),
    "too_many_columns": _("The file has too many columns."),
    "written_meanwhile": _(
        "Somebody else wrote the same at this moment. Look how it stands now, then repeat it."
    ),
    "waterfall_filter": _("Choose a campaign or a channel, not both."),
}
REJECTS = {
    "campaign_closed": _("The campaign took no pledge any more"),
    "campaign_not_open": _("The campaign was not open"),
    "campaign_unknown": _("Unknown campaign"),
    "commitment_unknown": _("Unknown commitment"),
    "currency_mismatch": _("Another currency than the channel's"),
    "date_invalid": _("No date that exists"),
    "date_out_of_range": _("Date out of range"),
    "fields_extra": _("Too many cells in the row"),
    "fields_missing": _("Too few cells in the row"),
    "fill_phase": _("Before the close pledges can only grow"),
    "id_damaged": _("Order number damaged by a spreadsheet"),
    "line_malformed": _("Row can't be split into cells"),
    "price_invalid": _("No amount of money"),
    "price_out_of_range": _("Price out of range"),
    "quantity_not_whole": _("No whole number"),
    "quantity_out_of_range": _("Quantity out of range"),
    "quantity_zero": _("Quantity is zero"),
    "region_unknown": _("Unknown region"),
    "sku_unknown": _("Unknown SKU"),
    "text_unusable": _("Text can't be used"),
    "tolerance_invalid": _("No whole number"),
    "tolerance_no_campaign": _("Flexible, but in no campaign"),
    "tolerance_range": _("The quantity is not in its range"),
    "tolerance_sku_unknown": _("SKU is not in the campaign"),
    "value_missing": _("Empty cell"),
}
ERRORS = {
    400: _("This request can't be read"),
    401: _("Sign in first"),
    403: _("Not for your role"),
    404: _("Nothing here"),
    405: _("Not possible here"),
    408: _("It came too slowly"),
    409: _("Somebody was faster"),
    413: _("Too large"),
    415: _("This kind of file can't be read"),
    422: _("This can't be done"),
    429: _("Too many attempts"),
    500: _("Something went wrong here"),
}
SENTENCES = {
    400: _("The request is incomplete or its form has expired."),
    401: _("This page needs a sign-in."),
    403: _("You are signed in, but your role does not open this page."),
    404: _("There is no page at this address, or it is not yours to see."),
    405: _("This address does not take this kind of request."),
    408: _("It did not arrive in time: much comes slowly at this moment."),
    409: _("What you saw has changed in the meantime."),
    413: _("The file is larger than the service takes."),
    415: _("The service does not know this kind of content."),
    422: _("The values contradict a rule."),
    429: _("There were too many attempts in a short time."),
    500: _("It was written to the log."),
}
REMEDIES = {
    400: _("Go back, load the page again and repeat what you did."),
    403: _("Ask an administrator for the role, or start from your own menu."),
    404: _("Check the address, or start from the menu."),
    405: _("Start from the menu."),
    408: _("Go back and send it again."),
    409: _("Load the page again to see how it stands now, then decide again."),
    413: _("Split the file, or ask the administrator to raise the limit."),
    415: _("Send CSV, XLSX, Parquet or NDJSON."),
    422: _("Go back, change what was entered and send it again."),
    429: _("Wait a minute, then try again."),
    500: _("Please try again later."),
}
HTTP_CODES = frozenset(
    [
        "BAD_REQUEST",
        "UNAUTHORIZED",
        "FORBIDDEN",
        "NOT_FOUND",
        "METHOD_NOT_ALLOWED",
        "REQUEST_TIMEOUT",
        "CONFLICT",
        "REQUEST_ENTITY_TOO_LARGE",
        "CONTENT_TOO_LARGE",
        "UNSUPPORTED_MEDIA_TYPE",
        "UNPROCESSABLE_ENTITY",
        "UNPROCESSABLE_CONTENT",
        "TOO_MANY_REQUESTS",
        "INTERNAL_SERVER_ERROR",
    ]
)


def error_page(status: int) -> tuple[str, str]:
    """Title and remedy of an error page."""
    return str(ERRORS.get(status, ERRORS[500])), str(REMEDIES.get(status, ""))


def failure(status: int, code: str, sentence: str) -> str:
    """What a person is told. In English the refusal's own sentence, which names what it is about."""
    if code in REFUSALS:
        return str(REFUSALS[code]) if speaks_chinese() else sentence
    if code.upper() in HTTP_CODES or code in ("unexpected", "fields_invalid"):
        return str(SENTENCES.get(status, SENTENCES[500]))
    if speaks_chinese():
        return gettext("%(title)s (%(code)s)", title=SENTENCES.get(status, SENTENCES[500]), code=code)
    return sentence


def beside(refused: HeadwaterError, fields: Mapping[str, str], *, other: str = "") -> dict[str, str]:
    """What is told beside the field that a refusal's code is about, or beside `other`.

    Raises:
        HeadwaterError: it is about no field of this form.
    """
    field = fields.get(refused.code, other)
    if not field:
        raise refused
    return {field: failure(refused.status, refused.code, refused.sentence)}


def why_failed(job: JobFact) -> str:
    """Why a job failed; jobs of older versions only know it in English."""
    why = job.result or {}
    return failure(why["status"], why["code"], job.error or "") if "code" in why else job.error or ""
