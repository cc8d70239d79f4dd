"""Blocks of RECORD lines into rows: the loop that every record goes through, in any process."""

from __future__ import annotations

import typing as t

from target_aep.loading.json_lines import encode_line, read_json, read_plain_json
from target_aep.loading.mapped_block import MappedBlock, Rejection
from target_aep.loading.record_copies import METADATA, without_metadata
from target_aep.loading.record_sum import MODULUS, record_number
from target_aep.loading.row_encoding import RowEncoder
from target_aep.loading.seen_ids import id_digest
from target_aep.mapping.mapper import RejectedRecordError
from target_aep.mapping.row_rules import PROFILE_MAX_BYTES

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from target_aep.mapping.mapper import RecordMapper
    from target_aep.mapping.model import MappingSet
    from target_aep.xdm.schema import XdmField

Record = dict[str, t.Any]

_LARGE = PROFILE_MAX_BYTES + len(b"\n")


class BlockMapper:
    """Maps RECORD lines of one stream as the SDK and the sink would one by one."""

    def __init__(
        self,
        mapper: RecordMapper,
        mapping_set: MappingSet,
        schema: XdmField | None,
        stream: str,
        key_properties: Sequence[str],
        row_max_bytes: int,
    ) -> None:
        """Bind the stream.

        Args:
            mapper: Maps its records.
            mapping_set: The mapper's.
            schema: The mapper's.
            stream: The name that its RECORD messages have.
            key_properties: Its key.
            row_max_bytes: A longer row, newline included, is left to the ordinary way.
        """
        self._map = mapper.map
        self._append = RowEncoder(mapping_set, schema).append
        self._stream = stream
        self._key = tuple(key_properties)
        self._most = row_max_bytes

    def map(self, lines: Sequence[bytes]) -> MappedBlock:
        """Map lines up to the first that needs the ordinary way, which knows what is wrong with it.

        Args:
            lines: RECORD messages of the stream, by their beginning, without their newlines.
        """
        block = MappedBlock()
        number = 0
        for place, line in enumerate(lines):
            try:
                record = self._read(line, place, block)
                number += record_number(record, self._key)
                row = self._map(record)
                self._add(row, block)
            except RejectedRecordError as error:
                block.rejected.append(Rejection(place, error.field_path, error.reason))
            except Exception:  # noqa: BLE001 - told by the ordinary way
                break
            block.taken += 1
        block.number = number % MODULUS
        return block

    def _read(self, line: bytes, place: int, block: MappedBlock) -> Record:
        """The record of a message as the SDK gives it to a sink.

        Raises:
            Exception: The ordinary way takes it, or says what is wrong with it.
        """
        try:
            message = read_plain_json(line)
        except Exception:  # noqa: BLE001 - whatever it is, the ordinary way takes or refuses it
            message = read_json(line)
            record = self._record_of(message)
            block.respelled[place] = encode_line({"record": record})[:-1]
            return record
        return self._record_of(message)

    def _record_of(self, message: t.Any) -> Record:
        record: Record = message["record"]
        if (
            type(record) is not dict
            or message["stream"] != self._stream
            or message["type"] != "RECORD"
        ):
            raise ValueError("another message")
        for name in self._key:
            if name not in record:
                raise ValueError("no key")
        return record if METADATA.isdisjoint(record) else without_metadata(record)

    def _add(self, row: Record, block: MappedBlock) -> None:
        """Append a row.

        Raises:
            ValueError: It is longer than a file may be.
        """
        rows, ends = block.rows, block.ends
        start = len(rows)
        self._append(row, rows)
        end = len(rows)
        size = end - start
        if size > self._most:
            del rows[start:]
            raise ValueError("more than a file takes")
        if size > _LARGE:
            block.oversized.append(len(ends))
        identifier = row.get("_id")
        ends.append(end)
        block.ids.append(identifier)
        block.digests.append(id_digest(identifier) if type(identifier) is str else None)
