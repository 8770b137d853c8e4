"""Event schemas: read, checked, compared, registered, and turned into typed event classes."""

from deptbus.schemas.codecs import SchemaKey, codec_schema, codec_schemas
from deptbus.schemas.store import SchemaFile, SchemaStore, load_schemas

__all__ = ["SchemaFile", "SchemaKey", "SchemaStore", "codec_schema", "codec_schemas", "load_schemas"]
