"""Every table of the first release."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "alert",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cause", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("owner", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'closed') = (closed_at IS NOT NULL)", name=op.f("ck_alert_closed_has_time")
        ),
        sa.CheckConstraint(
            "kind = 'concentration' OR kind = 'unmet_demand' OR kind = 'answer_overdue' OR kind = 'declined' OR kind = 'campaign_at_risk'",
            name=op.f("ck_alert_kind_known"),
        ),
        sa.CheckConstraint("state = 'open' OR state = 'closed'", name=op.f("ck_alert_state_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
        sa.UniqueConstraint("cause", name=op.f("uq_alert_cause")),
    )
    op.create_index(op.f("ix_alert_state_kind"), "alert", ["state", "kind"], unique=False)
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_entry_hash")),
        sa.UniqueConstraint("previous_hash", name=op.f("uq_audit_entry_previous_hash")),
    )
    op.create_index(op.f("ix_audit_entry_action"), "audit_entry", ["action"], unique=False)
    op.create_index(op.f("ix_audit_entry_subject"), "audit_entry", ["subject"], unique=False)
    op.create_table(
        "calendar_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.CheckConstraint("kind = 'promotion' OR kind = 'holiday'", name=op.f("ck_calendar_day_kind_known")),
        sa.PrimaryKeyConstraint("day", "kind", name=op.f("pk_calendar_day")),
    )
    op.create_table(
        "campaign",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_zh", sa.String(length=200), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expected_units", sa.Integer(), nullable=False),
        sa.Column("go_factor_percent", sa.Integer(), nullable=False),
        sa.Column("per_buyer_limit", sa.Integer(), nullable=True),
        sa.Column("due_week", sa.Date(), nullable=False),
        sa.CheckConstraint(
            "state = 'draft' OR state = 'open' OR state = 'reached' OR state = 'missed' OR state = 'cancelled' OR state = 'in_production' OR state = 'shipping' OR state = 'closed'",
            name=op.f("ck_campaign_state_known"),
        ),
        sa.CheckConstraint("closes_at > opens_at", name=op.f("ck_campaign_closes_after_opening")),
        sa.CheckConstraint("expected_units >= 1", name=op.f("ck_campaign_expected_positive")),
        sa.CheckConstraint("go_factor_percent >= 1", name=op.f("ck_campaign_go_factor_positive")),
        sa.CheckConstraint(
            "per_buyer_limit IS NULL OR per_buyer_limit >= 1", name=op.f("ck_campaign_limit_positive")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("code", name=op.f("uq_campaign_code")),
    )
    op.create_table(
        "channel",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel")),
        sa.UniqueConstraint("code", name=op.f("uq_channel_code")),
    )
    op.create_table(
        "concentration_limit",
        sa.Column("scope", sa.String(length=10), nullable=False),
        sa.Column("base", sa.String(length=10), nullable=False),
        sa.Column("threshold_percent", sa.Integer(), nullable=False),
        sa.Column("hard", sa.Boolean(), nullable=False),
        sa.Column("penalty_minor", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "base = 'units' OR base = 'spend'", name=op.f("ck_concentration_limit_base_known")
        ),
        sa.CheckConstraint(
            "scope = 'sku' OR scope = 'category' OR scope = 'plan'",
            name=op.f("ck_concentration_limit_scope_known"),
        ),
        sa.CheckConstraint(
            "penalty_minor IS NULL OR penalty_minor >= 0",
            name=op.f("ck_concentration_limit_penalty_positive"),
        ),
        sa.CheckConstraint(
            "threshold_percent BETWEEN 1 AND 100", name=op.f("ck_concentration_limit_threshold_in_range")
        ),
        sa.PrimaryKeyConstraint("scope", "base", name=op.f("pk_concentration_limit")),
    )
    op.create_table(
        "forecast_run",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("horizon_weeks", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("series", sa.Integer(), nullable=False),
        sa.Column("mean_units", sa.Double(), nullable=False),
        sa.Column("created_by", sa.String(length=254), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("horizon_weeks >= 1", name=op.f("ck_forecast_run_horizon_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forecast_run")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_forecast_run_fingerprint")),
    )
    op.create_table(
        "import_batch",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("mapping", sa.String(length=60), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("read", sa.BigInteger(), nullable=False),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("duplicate", sa.BigInteger(), nullable=False),
        sa.Column("rejected", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("created_by", sa.String(length=254), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state = 'absorbed'", name=op.f("ck_import_batch_state_known")),
        sa.CheckConstraint(
            "accepted >= 0 AND duplicate >= 0 AND rejected >= 0", name=op.f("ck_import_batch_counts_positive")
        ),
        sa.CheckConstraint(
            "read = accepted + duplicate + rejected", name=op.f("ck_import_batch_rows_add_up")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_batch")),
        sa.UniqueConstraint(
            "channel", "mapping", "digest", name=op.f("uq_import_batch_channel_mapping_digest")
        ),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("phase", sa.String(length=60), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_by", sa.String(length=254), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state = 'queued' OR state = 'running' OR state = 'done' OR state = 'failed' OR state = 'cancelled'",
            name=op.f("ck_job_state_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    op.create_index(op.f("ix_job_state_lease_until"), "job", ["state", "lease_until"], unique=False)
    op.create_table(
        "region",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_zh", sa.String(length=200), nullable=True),
        sa.Column("timezone", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.CheckConstraint("state = 'draft' OR state = 'active'", name=op.f("ck_region_state_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_region")),
        sa.UniqueConstraint("code", name=op.f("uq_region_code")),
    )
    op.create_table(
        "sku",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_zh", sa.String(length=200), nullable=True),
        sa.Column("category", sa.String(length=80), nullable=True),
        sa.Column("volume", sa.Integer(), nullable=False),
        sa.Column("holding_cost_minor", sa.BigInteger(), nullable=False),
        sa.Column("goods", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.CheckConstraint(
            "state = 'draft' OR state = 'active' OR state = 'retired'", name=op.f("ck_sku_state_known")
        ),
        sa.CheckConstraint("holding_cost_minor >= 0", name=op.f("ck_sku_holding_cost_positive")),
        sa.CheckConstraint("volume >= 1", name=op.f("ck_sku_volume_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sku")),
        sa.UniqueConstraint("code", name=op.f("uq_sku_code")),
    )
    op.create_index(op.f("ix_sku_category"), "sku", ["category"], unique=False)
    op.create_table(
        "supplier",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_zh", sa.String(length=200), nullable=True),
        sa.Column("weekly_capacity", sa.Integer(), nullable=True),
        sa.Column("risk", sa.Double(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("risk >= 0 AND risk <= 1", name=op.f("ck_supplier_risk_in_unit")),
        sa.CheckConstraint(
            "weekly_capacity IS NULL OR weekly_capacity >= 0", name=op.f("ck_supplier_capacity_positive")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier")),
        sa.UniqueConstraint("code", name=op.f("uq_supplier_code")),
    )
    op.create_table(
        "warehouse",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_zh", sa.String(length=200), nullable=True),
        sa.Column("timezone", sa.String(length=60), nullable=False),
        sa.Column("weekly_inbound", sa.Integer(), nullable=True),
        sa.Column("storage", sa.Integer(), nullable=True),
        sa.CheckConstraint("storage IS NULL OR storage >= 0", name=op.f("ck_warehouse_storage_positive")),
        sa.CheckConstraint(
            "weekly_inbound IS NULL OR weekly_inbound >= 0", name=op.f("ck_warehouse_inbound_positive")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_warehouse")),
        sa.UniqueConstraint("code", name=op.f("uq_warehouse_code")),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("supplier_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("locale", sa.String(length=10), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(role = 'supplier') = (supplier_id IS NOT NULL)", name=op.f("ck_account_supplier_has_company")
        ),
        sa.CheckConstraint(
            "role = 'merchandiser' OR role = 'supplier' OR role = 'warehouse_planner' OR role = 'administrator'",
            name=op.f("ck_account_role_known"),
        ),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("fk_account_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("email", name=op.f("uq_account_email")),
    )
    op.create_table(
        "allocation_run",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("forecast_run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("weeks", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("problem_digest", sa.String(length=64), nullable=False),
        sa.Column("plan_digest", sa.String(length=64), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("demand_units", sa.BigInteger(), nullable=False),
        sa.Column("planned_units", sa.BigInteger(), nullable=False),
        sa.Column("unmet_units", sa.BigInteger(), nullable=False),
        sa.Column("cost_minor", sa.BigInteger(), nullable=False),
        sa.Column("bound_minor", sa.BigInteger(), nullable=False),
        sa.Column("gap", sa.Double(), nullable=False),
        sa.Column("cost_parts", sa.JSON(), nullable=False),
        sa.Column("binding", sa.JSON(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("created_by", sa.String(length=254), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status = 'optimal' OR status = 'feasible'", name=op.f("ck_allocation_run_status_known")
        ),
        sa.ForeignKeyConstraint(
            ["forecast_run_id"], ["forecast_run.id"], name=op.f("fk_allocation_run_forecast_run_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocation_run")),
        sa.UniqueConstraint("problem_digest", name=op.f("uq_allocation_run_problem_digest")),
    )
    op.create_table(
        "bom_line",
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("component", sa.String(length=80), nullable=False),
        sa.Column("quantity_per", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity_per >= 1", name=op.f("ck_bom_line_quantity_positive")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_bom_line_sku_id")),
        sa.PrimaryKeyConstraint("sku_id", "component", name=op.f("pk_bom_line")),
    )
    op.create_table(
        "campaign_day",
        sa.Column("campaign_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=12), nullable=False),
        sa.Column("signals", sa.BigInteger(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("raw_units", sa.BigInteger(), nullable=False),
        sa.Column("valid_units", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("region_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint(
            "reason = 'valid' OR reason = 'duplicate' OR reason = 'cancelled' OR reason = 'returned' OR reason = 'test' OR reason = 'not_goods' OR reason = 'unpriced' OR reason = 'over_limit'",
            name=op.f("ck_campaign_day_reason_known"),
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_day_campaign_id")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_campaign_day_region_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_campaign_day_sku_id")),
        sa.PrimaryKeyConstraint(
            "campaign_id", "day", "sku_id", "region_id", "reason", name=op.f("pk_campaign_day")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "campaign_sku",
        sa.Column("campaign_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_sku_campaign_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_campaign_sku_sku_id")),
        sa.PrimaryKeyConstraint("campaign_id", "sku_id", name=op.f("pk_campaign_sku")),
    )
    op.create_index(op.f("ix_campaign_sku_sku_id"), "campaign_sku", ["sku_id"], unique=False)
    op.create_table(
        "demand_day",
        sa.Column("channel_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=12), nullable=False),
        sa.Column("signals", sa.BigInteger(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("raw_units", sa.BigInteger(), nullable=False),
        sa.Column("valid_units", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("region_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint(
            "reason = 'valid' OR reason = 'duplicate' OR reason = 'cancelled' OR reason = 'returned' OR reason = 'test' OR reason = 'not_goods' OR reason = 'unpriced' OR reason = 'over_limit'",
            name=op.f("ck_demand_day_reason_known"),
        ),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_demand_day_channel_id")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_demand_day_region_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_demand_day_sku_id")),
        sa.PrimaryKeyConstraint(
            "sku_id", "region_id", "day", "channel_id", "reason", name=op.f("pk_demand_day")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "forecast_line",
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("region_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("mean", sa.Double(), nullable=False),
        sa.Column("lo_80", sa.Double(), nullable=False),
        sa.Column("hi_80", sa.Double(), nullable=False),
        sa.Column("lo_95", sa.Double(), nullable=False),
        sa.Column("hi_95", sa.Double(), nullable=False),
        sa.Column("method", sa.String(length=60), nullable=False),
        sa.CheckConstraint(
            "0 <= lo_95 AND lo_95 <= lo_80 AND lo_80 <= hi_80 AND hi_80 <= hi_95",
            name=op.f("ck_forecast_line_ordered"),
        ),
        sa.CheckConstraint("mean >= 0", name=op.f("ck_forecast_line_mean_positive")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_forecast_line_region_id")),
        sa.ForeignKeyConstraint(["run_id"], ["forecast_run.id"], name=op.f("fk_forecast_line_run_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_forecast_line_sku_id")),
        sa.PrimaryKeyConstraint("run_id", "sku_id", "region_id", "week", name=op.f("pk_forecast_line")),
    )
    op.create_table(
        "lane",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("from_supplier_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("from_warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("to_warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("to_region_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("cost_minor", sa.BigInteger(), nullable=False),
        sa.Column("lead_days", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(from_supplier_id IS NULL) <> (from_warehouse_id IS NULL)", name=op.f("ck_lane_one_origin")
        ),
        sa.CheckConstraint(
            "(to_warehouse_id IS NULL) <> (to_region_id IS NULL)", name=op.f("ck_lane_one_destination")
        ),
        sa.CheckConstraint("cost_minor >= 0 AND lead_days >= 0", name=op.f("ck_lane_cost_and_lead_positive")),
        sa.CheckConstraint(
            "from_warehouse_id IS NULL OR to_region_id IS NOT NULL", name=op.f("ck_lane_no_transfer")
        ),
        sa.ForeignKeyConstraint(["from_supplier_id"], ["supplier.id"], name=op.f("fk_lane_from_supplier_id")),
        sa.ForeignKeyConstraint(
            ["from_warehouse_id"], ["warehouse.id"], name=op.f("fk_lane_from_warehouse_id")
        ),
        sa.ForeignKeyConstraint(["to_region_id"], ["region.id"], name=op.f("fk_lane_to_region_id")),
        sa.ForeignKeyConstraint(["to_warehouse_id"], ["warehouse.id"], name=op.f("fk_lane_to_warehouse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lane")),
        sa.UniqueConstraint(
            "from_supplier_id", "to_region_id", name=op.f("uq_lane_from_supplier_id_to_region_id")
        ),
        sa.UniqueConstraint(
            "from_supplier_id", "to_warehouse_id", name=op.f("uq_lane_from_supplier_id_to_warehouse_id")
        ),
        sa.UniqueConstraint(
            "from_warehouse_id", "to_region_id", name=op.f("uq_lane_from_warehouse_id_to_region_id")
        ),
    )
    op.create_index(op.f("ix_lane_from_supplier_id"), "lane", ["from_supplier_id"], unique=False)
    op.create_index(op.f("ix_lane_from_warehouse_id"), "lane", ["from_warehouse_id"], unique=False)
    op.create_table(
        "rejected_row",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("batch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column("column", sa.String(length=255), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("fk_rejected_row_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rejected_row")),
    )
    op.create_index(op.f("ix_rejected_row_batch_id"), "rejected_row", ["batch_id"], unique=False)
    op.create_table(
        "signal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "external_id",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("batch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("commitment", sa.String(length=10), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("region_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("campaign_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price_minor", sa.BigInteger(), nullable=False),
        sa.Column("buyer", sa.String(length=32), nullable=True),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=12), nullable=False),
        sa.CheckConstraint(
            "commitment = 'paid' OR commitment = 'deposit' OR commitment = 'pledge' OR commitment = 'waitlist' OR commitment = 'vote'",
            name=op.f("ck_signal_commitment_known"),
        ),
        sa.CheckConstraint(
            "reason = 'valid' OR reason = 'cancelled' OR reason = 'returned' OR reason = 'test' OR reason = 'not_goods' OR reason = 'unpriced' OR reason = 'over_limit'",
            name=op.f("ck_signal_reason_known"),
        ),
        sa.CheckConstraint(
            "status = 'placed' OR status = 'cancelled' OR status = 'test'",
            name=op.f("ck_signal_status_known"),
        ),
        sa.CheckConstraint(
            "quantity <> 0 AND quantity BETWEEN -1000000000 AND 1000000000",
            name=op.f("ck_signal_quantity_in_range"),
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("fk_signal_batch_id")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_signal_campaign_id")),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_signal_channel_id")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_signal_region_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_signal_sku_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal")),
        sa.UniqueConstraint("channel_id", "external_id", name=op.f("uq_signal_channel_id_external_id")),
    )
    op.create_index(
        "ix_signal_campaign",
        "signal",
        ["campaign_id", "buyer"],
        unique=False,
        sqlite_where=sa.text("campaign_id IS NOT NULL"),
        postgresql_where=sa.text("campaign_id IS NOT NULL"),
    )
    op.create_index(
        "ix_signal_excluded",
        "signal",
        ["reason", "day"],
        unique=False,
        sqlite_where=sa.text("reason != 'valid'"),
        postgresql_where=sa.text("reason != 'valid'"),
    )
    op.create_table(
        "stock_movement",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind = 'opening' OR kind = 'receipt' OR kind = 'shipment' OR kind = 'adjustment'",
            name=op.f("ck_stock_movement_kind_known"),
        ),
        sa.CheckConstraint("quantity <> 0", name=op.f("ck_stock_movement_quantity_not_zero")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_stock_movement_sku_id")),
        sa.ForeignKeyConstraint(
            ["warehouse_id"], ["warehouse.id"], name=op.f("fk_stock_movement_warehouse_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_movement")),
        sa.UniqueConstraint(
            "source", "sku_id", "warehouse_id", name=op.f("uq_stock_movement_source_sku_id_warehouse_id")
        ),
    )
    op.create_index(
        op.f("ix_stock_movement_sku_id_warehouse_id"),
        "stock_movement",
        ["sku_id", "warehouse_id"],
        unique=False,
    )
    op.create_table(
        "supply_offer",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("supplier_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("moq", sa.Integer(), nullable=False),
        sa.Column("lot_multiple", sa.Integer(), nullable=False),
        sa.Column("lead_days", sa.Integer(), nullable=False),
        sa.Column("weekly_capacity", sa.Integer(), nullable=True),
        sa.Column("order_cost_minor", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("lead_days >= 0", name=op.f("ck_supply_offer_lead_positive")),
        sa.CheckConstraint("lot_multiple >= 1", name=op.f("ck_supply_offer_lot_multiple_positive")),
        sa.CheckConstraint("moq >= 0", name=op.f("ck_supply_offer_moq_positive")),
        sa.CheckConstraint("order_cost_minor >= 0", name=op.f("ck_supply_offer_order_cost_positive")),
        sa.CheckConstraint(
            "weekly_capacity IS NULL OR weekly_capacity >= 0", name=op.f("ck_supply_offer_capacity_positive")
        ),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_supply_offer_sku_id")),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("fk_supply_offer_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supply_offer")),
        sa.UniqueConstraint("supplier_id", "sku_id", name=op.f("uq_supply_offer_supplier_id_sku_id")),
    )
    op.create_index(op.f("ix_supply_offer_sku_id"), "supply_offer", ["sku_id"], unique=False)
    op.create_table(
        "tier",
        sa.Column("campaign_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("min_units", sa.Integer(), nullable=False),
        sa.Column("unit_price_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "min_units >= 0 AND unit_price_minor >= 0", name=op.f("ck_tier_units_and_price_positive")
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_tier_campaign_id")),
        sa.PrimaryKeyConstraint("campaign_id", "min_units", name=op.f("pk_tier")),
    )
    op.create_table(
        "access_token",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_access_token_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_access_token_token_hash")),
    )
    op.create_index(op.f("ix_access_token_account_id"), "access_token", ["account_id"], unique=False)
    op.create_table(
        "allocation_flow",
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("region_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_allocation_flow_quantity_positive")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_allocation_flow_region_id")),
        sa.ForeignKeyConstraint(["run_id"], ["allocation_run.id"], name=op.f("fk_allocation_flow_run_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_allocation_flow_sku_id")),
        sa.ForeignKeyConstraint(
            ["warehouse_id"], ["warehouse.id"], name=op.f("fk_allocation_flow_warehouse_id")
        ),
        sa.PrimaryKeyConstraint(
            "run_id", "sku_id", "warehouse_id", "region_id", "week", name=op.f("pk_allocation_flow")
        ),
    )
    op.create_table(
        "allocation_line",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("supplier_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("region_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("order_week", sa.Date(), nullable=False),
        sa.Column("arrival_week", sa.Date(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price_minor", sa.BigInteger(), nullable=False),
        sa.Column("locked_quantity", sa.Integer(), nullable=False),
        sa.Column("surplus_quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(warehouse_id IS NULL) <> (region_id IS NULL)", name=op.f("ck_allocation_line_one_destination")
        ),
        sa.CheckConstraint(
            "locked_quantity BETWEEN 0 AND quantity", name=op.f("ck_allocation_line_locked_within")
        ),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_allocation_line_quantity_positive")),
        sa.CheckConstraint(
            "surplus_quantity BETWEEN 0 AND quantity", name=op.f("ck_allocation_line_surplus_within")
        ),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_allocation_line_region_id")),
        sa.ForeignKeyConstraint(["run_id"], ["allocation_run.id"], name=op.f("fk_allocation_line_run_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_allocation_line_sku_id")),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["supplier.id"], name=op.f("fk_allocation_line_supplier_id")
        ),
        sa.ForeignKeyConstraint(
            ["warehouse_id"], ["warehouse.id"], name=op.f("fk_allocation_line_warehouse_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocation_line")),
    )
    op.create_index(op.f("ix_allocation_line_run_id"), "allocation_line", ["run_id"], unique=False)
    op.create_table(
        "allocation_share",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("scope", sa.String(length=10), nullable=False),
        sa.Column("scope_key", sa.String(length=80), nullable=False),
        sa.Column("base", sa.String(length=10), nullable=False),
        sa.Column("supplier_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("scope_amount", sa.BigInteger(), nullable=False),
        sa.Column("demand_amount", sa.BigInteger(), nullable=True),
        sa.Column("hhi", sa.Double(), nullable=False),
        sa.CheckConstraint("base = 'units' OR base = 'spend'", name=op.f("ck_allocation_share_base_known")),
        sa.CheckConstraint(
            "scope = 'sku' OR scope = 'category' OR scope = 'plan'",
            name=op.f("ck_allocation_share_scope_known"),
        ),
        sa.CheckConstraint(
            "amount BETWEEN 0 AND scope_amount", name=op.f("ck_allocation_share_part_of_whole")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["allocation_run.id"], name=op.f("fk_allocation_share_run_id")),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["supplier.id"], name=op.f("fk_allocation_share_supplier_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocation_share")),
    )
    op.create_index(
        op.f("ix_allocation_share_run_id_scope_scope_key"),
        "allocation_share",
        ["run_id", "scope", "scope_key"],
        unique=False,
    )
    op.create_table(
        "exclusion",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("signal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", sa.String(length=12), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(length=254), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_by", sa.String(length=254), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "reason = 'valid' OR reason = 'duplicate' OR reason = 'cancelled' OR reason = 'returned' OR reason = 'test' OR reason = 'not_goods' OR reason = 'unpriced' OR reason = 'over_limit'",
            name=op.f("ck_exclusion_reason_known"),
        ),
        sa.CheckConstraint("(undone_by IS NULL) = (undone_at IS NULL)", name=op.f("ck_exclusion_undo_whole")),
        sa.ForeignKeyConstraint(["signal_id"], ["signal.id"], name=op.f("fk_exclusion_signal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exclusion")),
    )
    op.create_index(op.f("ix_exclusion_signal_id"), "exclusion", ["signal_id"], unique=False)
    op.create_table(
        "price_break",
        sa.Column("offer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("min_quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("min_quantity >= 0", name=op.f("ck_price_break_quantity_positive")),
        sa.CheckConstraint("unit_price_minor >= 0", name=op.f("ck_price_break_price_positive")),
        sa.ForeignKeyConstraint(["offer_id"], ["supply_offer.id"], name=op.f("fk_price_break_offer_id")),
        sa.PrimaryKeyConstraint("offer_id", "min_quantity", name=op.f("pk_price_break")),
    )
    op.create_table(
        "production_plan",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("supplier_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("allocation_run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["allocation_run_id"], ["allocation_run.id"], name=op.f("fk_production_plan_allocation_run_id")
        ),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["supplier.id"], name=op.f("fk_production_plan_supplier_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_production_plan")),
        sa.UniqueConstraint(
            "supplier_id", "allocation_run_id", name=op.f("uq_production_plan_supplier_id_allocation_run_id")
        ),
    )
    op.create_table(
        "unmet_demand",
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("region_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.CheckConstraint(
            "reason = 'no_offer' OR reason = 'no_lane' OR reason = 'lead_time' OR reason = 'capacity' OR reason = 'moq' OR reason = 'share_cap' OR reason = 'cost'",
            name=op.f("ck_unmet_demand_reason_known"),
        ),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_unmet_demand_quantity_positive")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_unmet_demand_region_id")),
        sa.ForeignKeyConstraint(["run_id"], ["allocation_run.id"], name=op.f("fk_unmet_demand_run_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_unmet_demand_sku_id")),
        sa.PrimaryKeyConstraint("run_id", "sku_id", "region_id", "week", name=op.f("pk_unmet_demand")),
    )
    op.create_table(
        "web_session",
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_web_session_account_id")),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_web_session")),
    )
    op.create_index(op.f("ix_web_session_account_id"), "web_session", ["account_id"], unique=False)
    op.create_index(op.f("ix_web_session_expires_at"), "web_session", ["expires_at"], unique=False)
    op.create_table(
        "plan_line",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("supplier_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("region_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("order_week", sa.Date(), nullable=False),
        sa.Column("due_week", sa.Date(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("promised_quantity", sa.Integer(), nullable=True),
        sa.Column("promised_week", sa.Date(), nullable=True),
        sa.Column("first_promised_quantity", sa.Integer(), nullable=True),
        sa.Column("first_promised_week", sa.Date(), nullable=True),
        sa.Column("counter_refused", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "NOT counter_refused OR state = 'withdrawn'", name=op.f("ck_plan_line_refused_is_withdrawn")
        ),
        sa.CheckConstraint(
            "state = 'asked' OR state = 'confirmed' OR state = 'countered' OR state = 'declined' OR state = 'expired' OR state = 'withdrawn'",
            name=op.f("ck_plan_line_state_known"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('confirmed', 'countered') OR (promised_quantity IS NOT NULL AND promised_week IS NOT NULL)",
            name=op.f("ck_plan_line_answer_has_promise"),
        ),
        sa.CheckConstraint(
            "(warehouse_id IS NULL) <> (region_id IS NULL)", name=op.f("ck_plan_line_one_destination")
        ),
        sa.CheckConstraint(
            "promised_quantity IS NULL OR promised_quantity >= 1", name=op.f("ck_plan_line_promise_positive")
        ),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_plan_line_quantity_positive")),
        sa.ForeignKeyConstraint(["plan_id"], ["production_plan.id"], name=op.f("fk_plan_line_plan_id")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_plan_line_region_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_plan_line_sku_id")),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("fk_plan_line_supplier_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_plan_line_warehouse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_line")),
    )
    op.create_index(op.f("ix_plan_line_plan_id"), "plan_line", ["plan_id"], unique=False)
    op.create_index(
        op.f("ix_plan_line_supplier_id_state"), "plan_line", ["supplier_id", "state"], unique=False
    )
    op.create_table(
        "answer",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=True),
        sa.Column("week", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.String(length=254), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind = 'confirm' OR kind = 'counter' OR kind = 'decline'", name=op.f("ck_answer_kind_known")
        ),
        sa.ForeignKeyConstraint(["line_id"], ["plan_line.id"], name=op.f("fk_answer_line_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer")),
    )
    op.create_index(op.f("ix_answer_line_id"), "answer", ["line_id"], unique=False)
    op.create_table(
        "receipt",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plan_line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reference", sa.String(length=80), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("received_by", sa.String(length=254), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_receipt_quantity_positive")),
        sa.ForeignKeyConstraint(["plan_line_id"], ["plan_line.id"], name=op.f("fk_receipt_plan_line_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_receipt_warehouse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
        sa.UniqueConstraint("reference", name=op.f("uq_receipt_reference")),
    )
    op.create_index(op.f("ix_receipt_plan_line_id"), "receipt", ["plan_line_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_receipt_plan_line_id"), table_name="receipt")
    op.drop_table("receipt")
    op.drop_index(op.f("ix_answer_line_id"), table_name="answer")
    op.drop_table("answer")
    op.drop_index(op.f("ix_plan_line_supplier_id_state"), table_name="plan_line")
    op.drop_index(op.f("ix_plan_line_plan_id"), table_name="plan_line")
    op.drop_table("plan_line")
    op.drop_index(op.f("ix_web_session_expires_at"), table_name="web_session")
    op.drop_index(op.f("ix_web_session_account_id"), table_name="web_session")
    op.drop_table("web_session")
    op.drop_table("unmet_demand")
    op.drop_table("production_plan")
    op.drop_table("price_break")
    op.drop_index(op.f("ix_exclusion_signal_id"), table_name="exclusion")
    op.drop_table("exclusion")
    op.drop_index(op.f("ix_allocation_share_run_id_scope_scope_key"), table_name="allocation_share")
    op.drop_table("allocation_share")
    op.drop_index(op.f("ix_allocation_line_run_id"), table_name="allocation_line")
    op.drop_table("allocation_line")
    op.drop_table("allocation_flow")
    op.drop_index(op.f("ix_access_token_account_id"), table_name="access_token")
    op.drop_table("access_token")
    op.drop_table("tier")
    op.drop_index(op.f("ix_supply_offer_sku_id"), table_name="supply_offer")
    op.drop_table("supply_offer")
    op.drop_index(op.f("ix_stock_movement_sku_id_warehouse_id"), table_name="stock_movement")
    op.drop_table("stock_movement")
    op.drop_index(
        "ix_signal_excluded",
        table_name="signal",
        sqlite_where=sa.text("reason != 'valid'"),
        postgresql_where=sa.text("reason != 'valid'"),
    )
    op.drop_index(
        "ix_signal_campaign",
        table_name="signal",
        sqlite_where=sa.text("campaign_id IS NOT NULL"),
        postgresql_where=sa.text("campaign_id IS NOT NULL"),
    )
    op.drop_table("signal")
    op.drop_index(op.f("ix_rejected_row_batch_id"), table_name="rejected_row")
    op.drop_table("rejected_row")
    op.drop_index(op.f("ix_lane_from_warehouse_id"), table_name="lane")
    op.drop_index(op.f("ix_lane_from_supplier_id"), table_name="lane")
    op.drop_table("lane")
    op.drop_table("forecast_line")
    op.drop_table("demand_day")
    op.drop_index(op.f("ix_campaign_sku_sku_id"), table_name="campaign_sku")
    op.drop_table("campaign_sku")
    op.drop_table("campaign_day")
    op.drop_table("bom_line")
    op.drop_table("allocation_run")
    op.drop_table("account")
    op.drop_table("warehouse")
    op.drop_table("supplier")
    op.drop_index(op.f("ix_sku_category"), table_name="sku")
    op.drop_table("sku")
    op.drop_table("region")
    op.drop_index(op.f("ix_job_state_lease_until"), table_name="job")
    op.drop_table("job")
    op.drop_table("import_batch")
    op.drop_table("forecast_run")
    op.drop_table("concentration_limit")
    op.drop_table("channel")
    op.drop_table("campaign")
    op.drop_table("calendar_day")
    op.drop_index(op.f("ix_audit_entry_subject"), table_name="audit_entry")
    op.drop_index(op.f("ix_audit_entry_action"), table_name="audit_entry")
    op.drop_table("audit_entry")
    op.drop_index(op.f("ix_alert_state_kind"), table_name="alert")
    op.drop_table("alert")
