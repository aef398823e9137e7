"""The form of a vote round."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext
from marshmallow import ValidationError, post_load

from app.entrypoints.web.campaign_form import Lines, Moment
from app.entrypoints.web.forms import Form, text
from app.stages.demand.operations import NewDesign


def _design(line: str) -> NewDesign:
    cells = [cell.strip() for cell in line.replace("，", ",").split(",")]
    if not 3 <= len(cells) <= 4 or not all(cells[:3]) or max(map(len, cells)) > 200:
        raise ValidationError(
            lazy_gettext("Write code, name and category on each line, such as TALL, Tall cup, cups.")
        )
    return NewDesign(
        code=cells[0], name=cells[1], category=cells[2], name_zh=cells[3] or None if cells[3:] else None
    )


class RoundForm(Form):
    code = text(80)
    name = text(200)
    name_zh = text(200, required=False)
    opens_at = Moment()
    closes_at = Moment()
    designs = Lines(_design)

    @post_load
    def _said(self, said: dict[str, Any], **_: Any) -> dict[str, Any]:
        return said | {"name_zh": said["name_zh"].strip() or None}
