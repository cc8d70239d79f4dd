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
        try:
            self._fill(block, lines)
        except Exception:  # noqa: BLE001 - told by the ordinary way
            del block.rows[block.ends[-1] if block.ends else 0 :]
        block.number %= MODULUS
        return block

    def _fill(self, block: MappedBlock, lines: Sequence[bytes]) -> None:
        """Map lines: one loop with few calls, since every record goes through it.

        Raises:
            Exception: The next line needs the ordinary way; the row after the last end is none.
        """
        key, map_record, append = self._key, self._map, self._append
        rows, ends, ids, digests = block.rows, block.ends, block.ids, block.digests
        start, noted = 0, min(_LARGE, self._most)
        for place, line in enumerate(lines):
            try:
                message = read_plain_json(line)
            except Exception:  # noqa: BLE001 - whatever it is, the ordinary way takes or refuses it
                message = _respelled(line, place, block)
            record = self._record_of(message)
            number = record_number(record, key)
            try:
                row = map_record(record)
                append(row, rows)
                end = len(rows)
                if end - start > noted:
                    self._note_size(end - start, block)
                start = end
                identifier = row.get("_id")
                ends.append(end)
                ids.append(identifier)
                digests.append(id_digest(identifier) if identifier.__class__ is str else None)
            except RejectedRecordError as error:
                rejection = Rejection(place, error.field_path, error.reason, error.identifier)
                block.rejected.append(rejection)
            block.number += number
            block.taken += 1

    def _record_of(self, message: t.Any) -> Record:
        """The record of a message as the SDK gives it to a sink.

        Raises:
            Exception: The ordinary way takes it, or says what is wrong with it.
        """
        record: Record = message["record"]
        if (
            record.__class__ is not dict
            or message["stream"] != self._stream
            or message["type"] != "RECORD"
        ):
            raise ValueError("another message")
        for name in self._key:
            if name not in record:
                raise ValueError("no key")
        return record if record.keys().isdisjoint(METADATA) else without_metadata(record)

    def _note_size(self, size: int, block: MappedBlock) -> None:
        """Note a row that is large for one purpose or another.

        Raises:
            ValueError: It is longer than a file may be.
        """
        if size > self._most:
            raise ValueError("more than a file takes")
        if size > _LARGE:
            block.oversized.append(len(block.ends))


def _respelled(line: bytes, place: int, block: MappedBlock) -> t.Any:
    """A message that is read by the ordinary way, whose record is kept in another spelling."""
    message = read_json(line)
    block.respelled[place] = encode_line({"record": without_metadata(message["record"])})[:-1]
    return message
