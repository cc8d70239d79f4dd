"""How partial ingestion is asked for: documents of different age spell its field differently.

The created batch says in its tags what took effect
(help/ingestion/batch-ingestion/partial.md in AdobeDocs/experience-platform.en, and
aepp/ingestion.py in pitchmuc/aepp).
"""

from __future__ import annotations

import logging
import typing as t

logger = logging.getLogger("target-aep")

_SPELLINGS = ("partialIngestionPercent", "partialIngestionPercentage")
_TAG = "acp_partialIngestionPercent"


class PartialIngestion:
    """Learns from the first batches which spelling the platform understands.

    Attributes:
        name: The field to be sent next.
    """

    def __init__(self) -> None:
        self._untried = list(_SPELLINGS)
        self._is_known = False
        self.name = self._untried.pop(0)

    def look_at(self, document: t.Mapping[str, t.Any], name: str) -> None:
        """Read back from a created batch whether the field took effect.

        Args:
            document: The batch, once in its life.
            name: The field that it was created with.
        """
        tags = document.get("tags")
        if self._is_known or name != self.name or not isinstance(tags, dict):
            return
        if _TAG in tags:
            self._is_known = True
            logger.debug("Partial ingestion is asked for by %s", self.name)
            return
        if self._untried:
            self.name = self._untried.pop(0)
            logger.info(
                "Batch %s does not say that partial ingestion took effect; the next one asks for "
                "it by %s",
                document.get("id"),
                self.name,
            )
            return
        self._is_known = True
        logger.warning(
            "Experience Platform does not say that partial ingestion took effect: a single bad row "
            "may fail a batch, which is then loaded again without it"
        )
