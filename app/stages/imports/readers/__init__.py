"""Order files as blocks of text columns. The content says what format a file has, not its name."""

from app.stages.imports.readers.files import Block, digest, read

__all__ = ["Block", "digest", "read"]
