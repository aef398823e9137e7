"""Where the product's answer differs from the corpus, and why it is the better one.

docs/decisions/0012-bad-input.md says the same at more length. Nothing else is excused.
"""

OURS: dict[str, tuple[frozenset[str | int], str]] = {
    "missing Idempotency-Key where required": (
        frozenset({422}),
        "the identity may stand in the body as well: a pledge without either has one more bad field",
    ),
    "unbalanced quote on row 3 of 100,000": (
        frozenset({"job:completed_with_errors"}),
        "line 3 is kept out with its number, and the lines that follow are read: one line costs one row",
    ),
    "quoted newlines": (
        frozenset({"job:completed_with_errors"}),
        "the lines are read as meant, but a code with a line break in it is no code of an SKU",
    ),
    "unknown compression or bit flips in a page": (
        frozenset({"job:completed", "job:completed_with_errors"}),
        "a flipped bit inside a number, in a file without checksums, is another number: nobody can tell",
    ),
    "job, file and report ids of another tenant": (
        frozenset({403}),
        "one brand has one house: who may see no job at all is told so, whatever the number",
    ),
    "uniqueness as an oracle": (
        frozenset({403}),
        "a supplier makes nothing that another could have made: it is told so, whatever the code",
    ),
    "skip a state: draft to closed": (
        frozenset({422}),
        "a conflict is what another changed meanwhile; a step that a draft never takes is a broken rule",
    ),
    "plan edit without If-Match": (
        frozenset({422}),
        "the version stands in the body: one without it lacks a field, which is named",
    ),
    "receiver answers 410": (
        frozenset({"delivery:failed"}),
        "we ask, nobody is sent to: the pull fails, and the channel's page says so until it is mended",
    ),
    "two planners, stale tag": (
        frozenset({409}),
        "the version stands in the body, where a form has it too, and a stale one is a conflict",
    ),
    "tenant A's key, tenant B's campaign": (
        frozenset({401}),
        "a message that another channel signed proves nothing here: it is not read as far as its campaign",
    ),
}
"""Title of an entry → statuses that are ours, and the reason."""
