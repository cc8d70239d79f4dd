"""What a test or the command line can choose about the Experience Platform emulator.

The numbers are the documented ones: AdobeDocs/experience-platform.en,
`help/ingestion/guardrails.md` and `help/ingestion/batch-ingestion/`; AdobeDocs/adobe-dev-console,
`guides/authentication/ServerToServerAuthentication/ims.md` for the token.
"""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_SCOPES = frozenset(
    {
        "openid",
        "AdobeID",
        "read_organizations",
        "additional_info.projectedProductContext",
        "session",
    }
)
"""The scopes Adobe's own Kafka sink asks for (adobe/experience-platform-streaming-connect)."""

DEFAULT_ORG = "4F3BB22C5631222A7F000101@AdobeOrg"
DEFAULT_TENANT = "acmeretail"


@dataclass(frozen=True)
class Credential:
    """An OAuth server-to-server credential.

    Attributes:
        client_id: Also the API key.
        client_secrets: The secrets that are valid now; Adobe allows two during a rotation.
        scopes: The scopes the credential may ask for.
        is_enabled: Whether IMS still knows it; a deleted or disabled one is an invalid client.
        has_product_profile: Without one the gateway lets no call through.
        denied: What its role forbids: beginnings of paths, such as `/data/foundation/catalog`, with
            a method before them where only that is forbidden, such as `POST /data/core`.
    """

    client_id: str = "emulator-client"
    client_secrets: tuple[str, ...] = ("emulator-secret",)
    scopes: frozenset[str] = DEFAULT_SCOPES
    is_enabled: bool = True
    has_product_profile: bool = True
    denied: tuple[str, ...] = ()


@dataclass(frozen=True)
class Limits:
    """Caps of the platform and of the emulator's own files.

    Attributes:
        token_seconds: Lifetime of an access token (`expires_in`).
        tokens_per_minute: Tokens that may be minted in a sliding minute; None for no limit.
        url_characters: Longest request URL; 414 above it.
        file_bytes: Largest body of one file upload; 413 above it.
        part_bytes: Largest part of a large file.
        files_per_batch: Hard cap; a batch with more fails at promotion.
        batches_per_minute: Batches that may be created in a sliding minute; 429 above it.
        batches_per_day: Soft cap per sandbox: going over it is only counted.
        row_error_file_bytes: A diagnostics file is closed when it has reached this size.
        schema_cache_seconds: How long ingestion goes on with a schema that it has read.
    """

    token_seconds: int = 86_399
    tokens_per_minute: int | None = None
    url_characters: int = 2_000
    file_bytes: int = 256_000_000
    part_bytes: int = 512_000_000
    files_per_batch: int = 25_000
    batches_per_minute: int | None = 2_000
    batches_per_day: int = 90
    row_error_file_bytes: int = 4_000_000
    schema_cache_seconds: float = 0.0


@dataclass(frozen=True)
class Promotion:
    """How an accepted batch walks to its end.

    A batch leaves a status when Catalog has shown it `polls_per_status` times or when it has lasted
    `seconds_per_status` on the emulator's clock, whichever comes first; None switches one off.

    Attributes:
        statuses: What is shown between the client's COMPLETE and the final status.
        polls_per_status: Catalog reads of one status.
        seconds_per_status: Seconds on the emulator's clock.
        abandon_seconds: A batch that is not completed within this time is abandoned.
        success_status: How Catalog writes success: `success` or `active`.
        failure_status: How it writes failure: `failed` or `failure`.
        inline_bytes: Batches up to this size are validated before COMPLETE is answered, so that
            their walk is exactly the one described; bigger ones in the background, showing
            `processing` while that lasts.
    """

    statuses: tuple[str, ...] = ("loaded", "staging")
    polls_per_status: int | None = 1
    seconds_per_status: float | None = 10.0
    abandon_seconds: float = 86_400.0
    success_status: str = "success"
    failure_status: str = "failed"
    inline_bytes: int = 8_000_000
