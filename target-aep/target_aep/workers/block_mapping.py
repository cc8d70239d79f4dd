"""Blocks of RECORD lines into rows: the loop that every record goes through, in any process."""

from __future__ import annotations

import typing as t
from decimal import Decimal

import msgspec

from target_aep.loading.json_lines import encode_line, read_json, read_plain_json
from target_aep.loading.mapped_block import MappedBlock, Rejection
from target_aep.loading.record_copies import METADATA, without_metadata
from target_aep.loading.record_sum import sum_of, summand_of
from target_aep.loading.row_encoding import RowEncoder
from target_aep.loading.seen_ids import id_digests
from target_aep.mapping.mapper import RejectedRecordError
from target_aep.mapping.row_rules import PROFILE_MAX_BYTES
from target_aep.nesting import DEEPEST, TOO_DEEP, is_deeper, may_be_deeper

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from target_aep.mapping.mapper import RecordMapper
    from target_aep.mapping.model import MappingSet
    from target_aep.xdm.schema import XdmField

Record = dict[str, t.Any]

_LARGE = PROFILE_MAX_BYTES + len(b"\n")
_MOST_SEEN: t.Final = 1_000
_LEVELS = DEEPEST + 1
"""Of a message."""


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
        self._read = _reader_of(stream)
        self._are_plain = mapper.are_plain
        self._seen_columns: dict[tuple[str, ...], bool] = {}

    def map(self, lines: Sequence[bytes]) -> MappedBlock:
        """Map lines up to the first that needs the ordinary way, which knows what is wrong with it.

        Args:
            lines: RECORD messages of the stream, by their beginning, without their newlines.
        """
        block, rows = MappedBlock(), bytearray()
        summands: list[str | bytes] = []
        try:
            self._fill(block, lines, rows, summands)
        except Exception:  # noqa: BLE001 - told by the ordinary way
            del rows[block.ends[-1] if block.ends else 0 :]
        block.rows = rows
        block.taken, block.number = len(summands), sum_of(summands)
        block.digests = id_digests(block.ids)
        return block

    def _fill(
        self,
        block: MappedBlock,
        lines: Sequence[bytes],
        rows: bytearray,
        summands: list[str | bytes],
    ) -> None:
        """Map lines: one loop with few calls, since every record goes through it.

        Args:
            block: What is known of their rows.
            lines: The lines.
            rows: Their rows.
            summands: What stands for each record that was taken, in the sum of the commit.

        Raises:
            Exception: The next line needs the ordinary way; the row after the last end is none.
        """
        key, map_record, append, read = self._key, self._map, self._append, self._read
        ends, ids, seen = block.ends, block.ids, self._seen_columns
        only_key = key[0] if len(key) == 1 else None
        start, noted = 0, min(_LARGE, self._most)
        for place, line in enumerate(lines):
            try:
                record = read(line).record
            except Exception:  # noqa: BLE001 - whatever it is, the ordinary way takes or refuses it
                record = self._read_otherwise(line, place, block)
            if may_be_deeper(line, _LEVELS) and is_deeper(read_json(line), _LEVELS):
                raise ValueError(TOO_DEEP)
            is_plain = seen.get(tuple(record))
            if is_plain is None:
                record, is_plain = self._checked(record)
            summand = record.get(only_key)
            if summand.__class__ is not str:
                summand = summand_of(record, key)
            try:
                row = map_record(record, is_plain=is_plain)
                append(row, rows)
                end = len(rows)
                if end - start > noted:
                    self._note_size(end - start, block)
                start = end
                ends.append(end)
                ids.append(row.get("_id"))
            except RejectedRecordError as error:
                rejection = Rejection(place, error.field_path, error.reason, error.identifier)
                block.rejected.append(rejection)
            summands.append(summand)

    def _read_otherwise(self, line: bytes, place: int, block: MappedBlock) -> Record:
        """The record of a line that is not as most are.

        Raises:
            Exception: The ordinary way takes it, or says what is wrong with it.
        """
        try:
            message = read_plain_json(line)
        except Exception:  # noqa: BLE001 - as above
            message = _respelled(line, place, block)
        record: Record = message["record"]
        if (
            record.__class__ is not dict
            or message["stream"] != self._stream
            or message["type"] != "RECORD"
        ):
            raise ValueError("another message")
        return record

    def _checked(self, record: Record) -> tuple[Record, bool]:
        """The record as the SDK gives it to a sink, and whether its columns are plain.

        What is told of its columns is noted, unless the SDK takes one of them out.

        Raises:
            ValueError: The ordinary way says what is wrong with it.
        """
        for name in self._key:
            if name not in record:
                raise ValueError("no key")
        if not METADATA.isdisjoint(record):
            return without_metadata(record), False
        is_plain = self._are_plain(record)
        if len(self._seen_columns) < _MOST_SEEN:
            self._seen_columns[tuple(record)] = is_plain
        return record, is_plain

    def _note_size(self, size: int, block: MappedBlock) -> None:
        """Note a row that is large for one purpose or another.

        Raises:
            ValueError: It is longer than a file may be.
        """
        if size > self._most:
            raise ValueError("more than a file takes")
        if size > _LARGE:
            block.oversized.append(len(block.ends))


def _reader_of(stream: str) -> t.Callable[[bytes], t.Any]:
    """Reads a RECORD of the stream without making an object of more than its record.

    It refuses what `read_plain_json` refuses, any other message, and one with members that are not
    common: those would not be looked at.
    """
    fields: list[tuple[str, t.Any] | tuple[str, t.Any, t.Any]] = [
        ("type", t.Literal["RECORD"]),
        ("stream", t.Literal[stream]),
        ("record", dict),
        ("time_extracted", t.Any, None),
        ("version", t.Any, None),
    ]
    message = msgspec.defstruct("Message", fields, forbid_unknown_fields=True, gc=False)
    return msgspec.json.Decoder(message, float_hook=Decimal).decode


def _respelled(line: bytes, place: int, block: MappedBlock) -> t.Any:
    """A message that is read by the ordinary way, whose record is kept in another spelling."""
    message = read_json(line)
    block.respelled[place] = encode_line({"record": without_metadata(message["record"])})[:-1]
    return message
