"""What the command line and the console do for people: one method a step, every error a `Refusal` or `Unreachable`.

It talks to Temporal by the documented messages only; a backend may use those directly and needs none of this.
"""

from service.cancellations import challenge_of
from service.certificates import Certificates
from service.deletions import Deletions
from service.reviews import Reviews

__all__ = ["CancellationService", "challenge_of"]


class CancellationService(Deletions, Reviews, Certificates):
    """The steps of owners, staff and ops.

    `by` says who takes a step and through what; `key` is the caller's own name for it: the same step again, under the
    same key, is the same step, and gets the first answer again.

    `challenges` is the platform's side for codes: they are answered there, and never pass through Temporal.
    """
