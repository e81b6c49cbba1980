/**
 * What a reference to a secret names: of a path in a vault (seed 000: `webhook_secret_arn`), with or without what AWS puts before it, the id
 * at its end; anything else names itself.
 */
export function secretNamed(reference: string): string {
  return PATH.exec(reference)?.[1] ?? reference
}

const PATH =
  /^(?:arn:[a-z-]+:secretsmanager:[a-z0-9-]*:\d*:secret:)?agent-runner\/[^/]+\/tenant\/[^/]+\/secrets\/([^/]+)$/
