"""How an error is put to people, and the refusals that need no workflow to make them."""

from collections.abc import Mapping

from domain.errors import ErrorType, Refusal
from domain.messages import CancellationView
from domain.phases import Step, allows
from i18n.texts import text
from service.letters.problems import LetterProblem, words


def sentence(type: ErrorType, details: Mapping[str, object], locale: str) -> str:
    """What went wrong and what to do, for people; `details` are the error's."""
    if type is ErrorType.LETTER_REFUSED and "because" in details:
        return words(LetterProblem(str(details["because"])), locale)
    return text(type, locale).title


def require(view: CancellationView, step: Step, *, report_digest: str | None = None) -> None:
    """Raises `Refusal`, as the request itself would. Before the vault is touched: no contact data shall lie there for
    nothing. `report_digest` is the report that was shown to whoever files a ticket.
    """
    if view.run_ended or not allows(view.phase, step, channel_verified=bool(view.channels)):
        raise Refusal(
            ErrorType.WRONG_PHASE,
            f"{step} is not possible in phase {view.phase} of request {view.request_no}. Nothing was stored.",
            phase=view.phase,
            due_step=view.due_step,
        )
    if step is not Step.FILE_TICKET:
        return
    report = view.report
    if report is None or report_digest != report.digest:
        raise Refusal(
            ErrorType.STALE_REPORT,
            "See the latest report of the checks, then file: nobody gives up what was not shown. Nothing was stored.",
            report_digest=report.digest if report else None,
        )
    if report.not_told:
        raise Refusal(
            ErrorType.NOT_NOW,
            f"The platform could not tell {', '.join(report.not_told)}, which is no fault of the owner's: check again, "
            "then file. Nothing was stored.",
            could_not_tell=list(report.not_told),
        )
    if first := report.must_be_fixed_first():
        raise Refusal(
            ErrorType.TICKET_NOT_ALLOWED,
            f"A ticket cannot waive {', '.join(o.check for o in first)}: put that right first, then file again. "
            "Nothing was stored.",
            fix_first=[o.check for o in first],
            reasons=[o.reason for o in first],
        )
