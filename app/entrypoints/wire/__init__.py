"""The wire: hand-written marshmallow schemas for what comes in and what goes out of the API.

Quantities are whole numbers (never "1.5", "1_000" or full-width digits), money is whole minor units beside an
ISO 4217 currency, times are ISO 8601 with an offset, weeks are the ISO date of their Monday.
"""
