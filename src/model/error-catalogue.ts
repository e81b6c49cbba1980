/** One row of the catalogue: the HTTP status, what happened in general, and how to mend it. */
export interface ErrorEntry {
  readonly status: number
  readonly title: string
  readonly fix: string
}

/**
 * Every error a caller can meet, in one place. The codes are part of the interface: they never change meaning.
 * docs/errors.md is tested against this table.
 */
export const ERRORS = {
  bad_request: { status: 400, title: 'The request is not well formed', fix: 'Compare the request with /openapi.json.' },
  unauthenticated: {
    status: 401,
    title: 'No valid API key was given',
    fix: 'Send "Authorization: Bearer <key>"; the owner key was printed once at the first start.',
  },
  forbidden: {
    status: 403,
    title: 'This key may not do that',
    fix: "Ask an owner of the tenant for a grant or a role; the operator for what takes an operator's key.",
  },
  not_granted: {
    status: 403,
    title: 'No grant covers that',
    fix: 'Ask an owner of the tenant for a grant of this skill and stage.',
  },
  tenant_suspended: {
    status: 403,
    title: 'The tenant is suspended',
    fix: 'Ask the operator of this server.',
  },
  host_refused: {
    status: 403,
    title: 'The request came for another host, or from another site',
    fix: 'Use the address that the server listens at; for a name of its own, start it with --public-url.',
  },
  not_found: {
    status: 404,
    title: 'There is no such thing in this tenant',
    fix: 'Check the id or name; list to see what there is.',
  },
  method_not_allowed: {
    status: 405,
    title: 'That method is not served at this path',
    fix: 'See /openapi.json for the methods of each path.',
  },
  request_timeout: {
    status: 408,
    title: 'The request took too long to arrive',
    fix: 'Send it again, faster.',
  },
  url_too_long: { status: 414, title: 'The URL is too long', fix: 'Send large values in the body.' },
  rate_limited: {
    status: 429,
    title: 'Too many requests with this key, or without a valid one',
    fix: 'Wait as long as Retry-After says, then go slower than RateLimit-Policy says.',
  },
  headers_too_large: {
    status: 431,
    title: 'The headers of the request are too large',
    fix: 'Send fewer or shorter headers.',
  },
  body_too_large: {
    status: 413,
    title: 'The request body is too large',
    fix: 'Send a smaller body; packages go to the signed upload URL.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The content type is not accepted',
    fix: 'Send "Content-Type: application/json".',
  },
  grants_full: {
    status: 409,
    title: 'The grants of this principal name too many skills',
    fix: 'Delete grants that it needs no more, or grant all skills ("*") on the stages that it may use.',
  },
  name_taken: { status: 409, title: 'That name is in use', fix: 'Choose another name, or use the existing one.' },
  one_tenant_only: {
    status: 409,
    title: 'This server is for one tenant only',
    fix: 'Start the server with isolation: without --development-without-isolation.',
  },
  skill_unknown: {
    status: 400,
    title: 'A skill that is named does not exist',
    fix: 'Name skills of this tenant by id or name, or "*" alone for all.',
  },
  principal_unknown: {
    status: 400,
    title: 'The principal does not exist',
    fix: 'Name a key of this tenant that is in force, or oidc:<issuer name>:<subject>.',
  },
  zone_unknown: { status: 400, title: 'That is no time zone', fix: 'Give an IANA zone such as Europe/Berlin, or UTC.' },
  cron_invalid: {
    status: 400,
    title: 'The cron expression cannot be used',
    fix: 'Write minute, hour, day of month, month and weekday, such as "0 6 * * MON-FRI"; the detail names the field.',
  },
  schedule_invalid: {
    status: 400,
    title: 'The schedule contradicts itself',
    fix: 'Correct what the detail names.',
  },
  schedule_changed: {
    status: 409,
    title: 'The schedule was changed by somebody else meanwhile',
    fix: 'Look at the schedule as it is now, then repeat the call if it is still what you want.',
  },
  webhook_target_refused: {
    status: 400,
    title: 'A webhook may not be sent there',
    fix: 'Give an https URL of a host on the public internet; docs/webhooks.md says what is refused and how an operator allows more.',
  },
  webhook_secret_invalid: {
    status: 400,
    title: 'The secret cannot sign webhooks',
    fix: 'Store "whsec_" followed by the base64 of 24 to 64 random bytes, as a secret of kind value.',
  },
  webhook_changed: {
    status: 409,
    title: 'The webhook was changed by somebody else meanwhile',
    fix: 'Look at the webhook as it is now, then repeat the call if it is still what you want.',
  },
  not_redeliverable: {
    status: 409,
    title: 'This delivery cannot be sent again',
    fix: 'Enable the webhook of its stage first; a delivery that is pending is tried by itself.',
  },
  secret_unknown: {
    status: 400,
    title: 'A secret that is referred to does not exist',
    fix: 'Make the secret first, or correct its name.',
  },
  secret_invalid: {
    status: 400,
    title: 'The value cannot be a secret of this kind',
    fix: 'Give 1 to 65,536 bytes of text without NUL; a connection is a URL with a host.',
  },
  secret_in_use: {
    status: 409,
    title: 'Stages use this secret',
    fix: 'Take it out of the stages that are named, their webhooks too, and deploy them, then delete it.',
  },
  secret_changed: {
    status: 409,
    title: 'The secret was changed by somebody else meanwhile',
    fix: 'Look at the secret as it is now, then repeat the call if it is still what you want.',
  },
  name_reserved: {
    status: 400,
    title: 'That name is reserved',
    fix: 'Choose another name; docs/limits.md lists the variables that no stage may set, and "operator" names no tenant.',
  },
  master_key_external: {
    status: 409,
    title: "The master key is not this server's to change",
    fix: 'Start the server with "new,old" in SKILLET_MASTER_KEY, rotate, then start it with the new one alone.',
  },
  vault_unavailable: {
    status: 503,
    title: 'The vault cannot be read or written',
    fix: 'Start the server with the master key that the values were sealed under; the detail says what cannot be opened.',
  },
  stage_changed: {
    status: 409,
    title: 'The stage was changed by somebody else meanwhile',
    fix: 'Look at the stage as it is now, then repeat the call if it is still what you want.',
  },
  stage_not_ready: {
    status: 409,
    title: 'The stage has no accepted package to deploy',
    fix: 'Upload a package and wait until the stage is ready_to_deploy; a failed validation lists its findings.',
  },
  stage_not_active: { status: 409, title: 'The stage has no active deployment', fix: 'Deploy to the stage first.' },
  nothing_to_roll_back: {
    status: 409,
    title: 'The stage has no earlier deployment',
    fix: 'Name a deployment of this stage, or deploy again.',
  },
  version_taken: {
    status: 409,
    title: 'That version number already names another package',
    fix: 'Choose a higher version; versions are immutable.',
  },
  range_not_satisfiable: {
    status: 416,
    title: 'The file does not have that range',
    fix: 'Ask for bytes below its size, or for all of it.',
  },
  key_changed: {
    status: 409,
    title: 'The signing key was changed by somebody else meanwhile',
    fix: 'Look at the keys as they are now, then repeat the call if it is still what you want.',
  },
  file_too_large: {
    status: 413,
    title: 'So much of a file is not read at once',
    fix: 'Ask for a range of it, or download the archive of the version.',
  },
  version_in_use: {
    status: 409,
    title: 'A stage serves that version',
    fix: 'Deploy, promote or roll back something else to the stages that are named, then withdraw it.',
  },
  package_rejected: {
    status: 422,
    title: 'The package was not accepted',
    fix: 'Mend what the findings name, each by its fix, and send the package again.',
  },
  version_invalid: {
    status: 400,
    title: 'That is not a usable version',
    fix: 'Give major.minor.patch, higher than the last one.',
  },
  change_level_too_low: {
    status: 409,
    title: 'The change is larger than the confirmed change level',
    fix: 'Confirm the level that the schema diff demands, or restore the schema.',
  },
  upload_expired: { status: 410, title: 'The upload URL has expired', fix: 'Ask for a new upload URL.' },
  upload_tampered: {
    status: 403,
    title: 'The upload URL is not one that this server signed',
    fix: 'Use the URL exactly as it was returned.',
  },
  upload_size_mismatch: {
    status: 400,
    title: 'The body is not as long as announced',
    fix: 'Announce the exact size in bytes, and send all of it.',
  },
  upload_too_large: {
    status: 413,
    title: 'The package is larger than allowed',
    fix: 'Make the package smaller; large data does not belong in it.',
  },
  upload_checksum_mismatch: {
    status: 400,
    title: 'The body does not have the announced SHA-256',
    fix: 'Send the file whose checksum was announced.',
  },
  upload_repeated: {
    status: 409,
    title: 'This upload URL was used already',
    fix: 'Ask for a new upload URL; each is good for one PUT.',
  },
  schema_rejected: {
    status: 400,
    title: 'The JSON Schema cannot be accepted',
    fix: 'Mend what the errors list names.',
  },
  input_invalid: {
    status: 400,
    title: "The input does not match the stage's frozen input schema",
    fix: 'Mend the places that the errors list points to; no run was created.',
  },
  input_too_large: {
    status: 413,
    title: 'The input is too large',
    fix: 'Send at most 6 MB; pass large data by reference.',
  },
  validation_timeout: {
    status: 400,
    title: 'Checking against the schema took too long and was stopped',
    fix: 'Simplify the pattern or the schema, or send a smaller value.',
  },
  idempotency_mismatch: {
    status: 422,
    title: 'This Idempotency-Key was used with another request',
    fix: 'Use a new key for a new request.',
  },
  not_replayable: {
    status: 409,
    title: 'This run cannot be replayed',
    fix: 'Replay a finished run whose deployment still exists.',
  },
  enqueue_failed: {
    status: 503,
    title: 'The run could not be queued and was marked failed',
    fix: 'Try again; the run record names the reason.',
  },
  isolation_unavailable: {
    status: 503,
    title: 'This machine cannot isolate skills, so none are run',
    fix: 'Run "skillet doctor" and do what it names.',
  },
  identity_unavailable: {
    status: 503,
    title: 'The issuer of the token cannot be asked',
    fix: 'Try again in a moment; the detail names the issuer and what it answered. Keys go on working.',
  },
  unavailable: { status: 503, title: 'The server is starting or stopping', fix: 'Try again in a moment.' },
  internal: {
    status: 500,
    title: 'Something went wrong inside Skillet',
    fix: 'Report the request id with the server log.',
  },
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof ERRORS
